using System.Net.NetworkInformation;
using Piccolo.Core.Network;

namespace Piccolo.Tests.Core.Network;

internal sealed class HostInterfacesTests
{
    private static readonly HostInterface Loopback = new("lo", 1, true, true, [], []);

    private static readonly Exception[] Failures =
    [
        // What the runtime throws for a link that vanishes between the kernel's list and the question about it.
        new ArgumentException("An invalid IP address was specified."),
        new NetworkInformationException(19),
        new FileNotFoundException("/sys/class/net/veth0/operstate"),
        new UnauthorizedAccessException("/proc/net/route"),
        new FormatException("a torn line of /proc/net/route"),
    ];

    [TestCaseSource(nameof(Failures))]
    public void TryRead_OneReadFails_ReadsAgain(Exception failure)
    {
        var reads = 0;

        var could = HostInterfaces.TryRead(() => reads++ == 0 ? throw failure : [Loopback], out var interfaces, out var reason);

        Assert.That((could, reads, reason), Is.EqualTo((true, 2, (string?)null)));
        Assert.That(interfaces, Is.EqualTo(new[] { Loopback }));
    }

    [TestCaseSource(nameof(Failures))]
    public void TryRead_EveryReadFails_SaysWhyAndDoesNotThrow(Exception failure)
    {
        var could = HostInterfaces.TryRead(() => throw failure, out var interfaces, out var reason);

        Assert.That(could, Is.False);
        Assert.That(interfaces, Is.Empty);
        Assert.That(reason, Does.Contain(failure.GetType().Name).And.Contain(failure.Message));
    }

    [Test]
    public void TryRead_OfThisHost_FindsLoopbackWithItsAddress()
    {
        Assert.That(HostInterfaces.TryRead(out var interfaces, out _), Is.True);
        Assert.That(interfaces.Where(i => i.IsLoopback).SelectMany(i => i.Addresses).Select(a => a.Address.ToString()), Does.Contain("127.0.0.1"));
    }
}
