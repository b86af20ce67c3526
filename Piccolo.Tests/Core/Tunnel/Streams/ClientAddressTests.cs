using System.Net;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Tests.Core.Tunnel.Streams;

internal sealed class ClientAddressTests
{
    [TestCase("198.51.100.7:51514", "198.51.100.7:51514")]
    [TestCase("8.8.8.8:1", "8.8.8.8:1")]
    [TestCase("[2001:db8::1]:51514", "[2001:db8::1]:51514")]
    [TestCase("[::ffff:8.8.8.8]:53", "8.8.8.8:53")]
    [TestCase("172.32.0.1:80", "172.32.0.1:80")]
    public void Parse_AnAddressOfTheInternet_IsKept(string text, string expected) =>
        Assert.That(ClientAddress.Parse(text, allowPrivate: false)?.ToString(), Is.EqualTo(expected));

    [TestCase("127.0.0.1:80")]
    [TestCase("127.255.255.254:80")]
    [TestCase("0.0.0.0:80")]
    [TestCase("10.1.2.3:80")]
    [TestCase("100.64.0.1:80")]
    [TestCase("169.254.1.1:80")]
    [TestCase("172.16.0.1:80")]
    [TestCase("172.31.255.255:80")]
    [TestCase("192.168.1.1:80")]
    [TestCase("224.0.0.1:80")]
    [TestCase("255.255.255.255:80")]
    [TestCase("[::]:80")]
    [TestCase("[::1]:80")]
    [TestCase("[::7f00:1]:80")]
    [TestCase("[::ffff:127.0.0.1]:80")]
    [TestCase("[::ffff:192.168.1.1]:80")]
    [TestCase("[fe80::1]:80")]
    [TestCase("[fd00::1]:80")]
    [TestCase("[ff02::1]:80")]
    public void Parse_AnAddressThatNoUserHas_IsNoneUnlessAllowed(string text)
    {
        Assert.That(ClientAddress.Parse(text, allowPrivate: false), Is.Null);
        Assert.That(ClientAddress.Parse(text, allowPrivate: true), Is.Not.Null);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase(":0")]
    [TestCase(":80")]
    [TestCase("8.8.8.8")]
    [TestCase("8.8.8.8:")]
    [TestCase("8.8.8.8:0")]
    [TestCase("8.8.8.8:65536")]
    [TestCase("8.8.8.8:+80")]
    [TestCase("8.8.8.8: 80")]
    [TestCase("8.8.8.8:000080")]
    [TestCase("8.8.8:80")]
    [TestCase("8:80")]
    [TestCase("0x8.8.8.8:80")]
    [TestCase("008.8.8.8:80")]
    [TestCase(" 8.8.8.8:80")]
    [TestCase("2001:db8::1")]
    [TestCase("2001:db8::1:80")]
    [TestCase("[8.8.8.8]:80")]
    [TestCase("[2001:db8::1%eth0]:80")]
    [TestCase("[2001:db8::1]80")]
    [TestCase("[2001:db8::1:80")]
    [TestCase("user.example.test:80")]
    public void Parse_Malformed_IsNone(string? text) => Assert.That(ClientAddress.Parse(text, allowPrivate: true), Is.Null);

    [Test]
    public void AddressLimit_CountsPerAddress_AndV6ByPrefix()
    {
        var limit = new AddressLimit(2);
        var one = IPEndPoint.Parse("[2001:db8:0:1::1]:1");
        var neighbour = IPEndPoint.Parse("[2001:db8:0:1:ffff::9]:2");

        Assert.That((limit.TryEnter(one), limit.TryEnter(neighbour), limit.TryEnter(one)), Is.EqualTo((true, true, false)));
        Assert.That(limit.TryEnter(IPEndPoint.Parse("[2001:db8:0:2::1]:1")), Is.True, "another prefix");
        Assert.That(limit.TryEnter(null), Is.True, "unknown users are the session's to limit");
        limit.Leave(neighbour);
        Assert.That(limit.TryEnter(one), Is.True);
    }

    [Test]
    public void AddressLimit_StreamsInDoubt_CountForNobodyUntilTheyAreKnown()
    {
        var limit = new AddressLimit(4);
        var user = IPEndPoint.Parse("198.51.100.7:1");
        for (var n = 0; n < 4; n++) limit.TryEnter(user);

        limit.Suspect(user);
        Assert.That((limit.TryEnter(user), limit.TryEnter(user)), Is.EqualTo((true, false)));
        limit.ClearSuspicion(user);
        limit.Leave(user);
        Assert.That((limit.TryEnter(user), limit.IsHalfUsed(user)), Is.EqualTo((false, true)), "five were let in, four are known");
        for (var n = 0; n < 3; n++) limit.Leave(user);
        Assert.That((limit.IsHalfUsed(user), limit.IsHalfUsed(IPEndPoint.Parse("198.51.100.8:1")), limit.IsHalfUsed(null)), Is.EqualTo((false, false, false)));
    }

    [TestCase("wss://relay.test", "wss://relay.test/connect")]
    [TestCase("wss://relay.test:8443/", "wss://relay.test:8443/connect")]
    [TestCase("wss://relay.test/other", "wss://relay.test/other")]
    [TestCase("ws://127.0.0.1:1", "ws://127.0.0.1:1/connect")]
    [TestCase("ws://[::1]:1", "ws://[::1]:1/connect")]
    [TestCase("ws://localhost:1", "ws://localhost:1/connect")]
    public void Endpoint_Usable_GetsTheHubsPath(string endpoint, string expected)
    {
        Assert.That(RelayEndpoint.Check(new Uri(endpoint), allowInsecureLoopback: true, out var normal), Is.Null);
        Assert.That(normal, Is.EqualTo(new Uri(expected)));
    }

    [TestCase("ws://relay.test")]
    [TestCase("ws://127.evil.test")]
    [TestCase("https://relay.test")]
    [TestCase("wss://user:password@relay.test")]
    [TestCase("/connect")]
    public void Endpoint_Unusable_IsExplained(string endpoint) =>
        Assert.That(RelayEndpoint.Check(new Uri(endpoint, UriKind.RelativeOrAbsolute), allowInsecureLoopback: true, out _), Is.Not.Empty);

    [Test]
    public void Endpoint_PlainLoopback_NeedsTheOption() =>
        Assert.That(RelayEndpoint.Check(new Uri("ws://127.0.0.1:1"), allowInsecureLoopback: false, out _), Is.Not.Null);
}
