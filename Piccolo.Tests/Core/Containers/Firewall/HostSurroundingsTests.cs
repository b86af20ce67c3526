using System.Collections.Immutable;
using System.Net;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Core.Network;

namespace Piccolo.Tests.Core.Containers.Firewall;

internal sealed class HostSurroundingsTests
{
    [TestCase("nameserver 192.168.1.1", "", ExpectedResult = "192.168.1.1")]
    [TestCase("search lan\nnameserver\t192.168.1.1 \n nameserver 9.9.9.9", "", ExpectedResult = "192.168.1.1 9.9.9.9")]
    [TestCase("nameserver 127.0.0.53", "nameserver 192.168.1.1", ExpectedResult = "192.168.1.1", Description = "the stub of systemd-resolved")]
    [TestCase("nameserver 127.0.0.53\nnameserver 192.168.1.2", "nameserver 192.168.1.1", ExpectedResult = "192.168.1.2")]
    [TestCase("nameserver 127.0.0.1", "", ExpectedResult = "8.8.8.8 8.8.4.4", Description = "what the engine gives then")]
    [TestCase("", "", ExpectedResult = "8.8.8.8 8.8.4.4")]
    [TestCase("nameserver fd00::1", "", ExpectedResult = "")]
    [TestCase("nameserver fe80::1%eth0\nnameserver ; drop\n#nameserver 1.1.1.1\nnameserver", "", ExpectedResult = "")]
    [TestCase("nameserver 1.1.1.1\nnameserver 1.1.1.1", "", ExpectedResult = "1.1.1.1")]
    public string Resolvers_AreThoseOfANewContainer(string resolvConf, string behindTheStub) => string.Join(' ', HostSurroundings.Resolvers(
        file => (file == "/etc/resolv.conf" ? resolvConf : behindTheStub).Split('\n')));

    [Test]
    public void Networks_OfTheHost_AreThoseOfContainersAndAllOthersWithoutThoseOfApps()
    {
        HostInterface[] interfaces =
        [
            Link("lo", "127.0.0.1", 8) with { IsLoopback = true }, Link("eth0", "198.51.100.7", 24), Link("eth0.9", "10.1.2.3", 16),
            Link("wg0", "10.1.9.1", 32),
            Link("picapp00000001", "10.130.0.1", 24), Link("down0", "172.20.0.1", 16) with { IsUp = false }, Link("eth1", "fd00::1", 64),
            Link("eth2", "198.51.100.7", 24), Link("tun0", "203.0.113.5", 32), Link("br-1234", "172.18.0.1", 16) with { IsContainerBridge = true },
        ];

        var networks = HostSurroundings.Networks([.. interfaces]);

        Assert.That(networks.Containers, Is.EqualTo(new[] { "172.18.0.0/16" }));
        Assert.That(networks.Attached, Is.EqualTo(new[] { "10.1.0.0/16", "198.51.100.0/24", "203.0.113.5" }));
    }

    private static HostInterface Link(string name, string address, int length) =>
        new(name, 1, true, false, [new InterfaceAddress(IPAddress.Parse(address), length)], ImmutableArray<IPAddress>.Empty);
}
