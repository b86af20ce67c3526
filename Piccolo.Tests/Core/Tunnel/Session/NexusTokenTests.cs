using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Session;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class NexusTokenTests
{
    private const string Nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    private static readonly FakeTimeProvider Clock = new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));

    [TestCase("fact-sheet-secret-0123456789")]
    [TestCase("  fact-sheet-secret-0123456789\n")]
    public void Handshake_IsTheWorkedExample(string secret) => Assert.That(Token(secret).Handshake(), Is.EqualTo(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJob3N0bmFtZXMiOlsiYXBwLmV4YW1wbGUudGVzdCJdLCJ3ZWlnaHQiOjEsImhhbmRzaGFrZV9tYXhfYWdlX3NlY29uZHMiOjEwLCJy"
        + "ZWF1dGhfaW50ZXJ2YWxfc2Vjb25kcyI6OTAwLCJpc3MiOiJhdXRob3JpemVyIiwic3ViIjoiZWRnZS0xIiwiYXVkIjpbIm5leHVzIl0sImV4cCI6MTcwMDAwMDAzMCwiaWF0IjoxNzA"
        + "wMDAwMDAwfQ.Xc8hkcGJR8I4bhapPjkppuaDPhtXVxxqL2ysnFRBbLQ"));

    [Test]
    public void Attest_IsTheWorkedExample() => Assert.That(Token("fact-sheet-secret-0123456789").Attest(Nonce), Is.EqualTo(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJob3N0bmFtZXMiOlsiYXBwLmV4YW1wbGUudGVzdCJdLCJ3ZWlnaHQiOjEsInNlc3Npb25fbm9uY2UiOiJBQUVDQXdRRkJnY0lDUW9M"
        + "REEwT0R4QVJFaE1VRlJZWEdCa2FHeHdkSGg4IiwicmVhdXRoX2ludGVydmFsX3NlY29uZHMiOjkwMCwiaXNzIjoiYXV0aG9yaXplciIsInN1YiI6ImVkZ2UtMSIsImF1ZCI6WyJuZXh"
        + "1cyJdLCJleHAiOjE3MDAwMDAwMzAsImlhdCI6MTcwMDAwMDAwMH0.whtGCYUBF9cRxO_Mg06n4ahsqpJtLW1UdoDK2_ADvRI"));

    [Test]
    public void Target_AsText_HidesTheSecret()
    {
        var target = new TunnelTarget(new Uri("wss://relay.test/connect"), "planted-canary", ["a.test"]);

        Assert.That($"{target}", Does.Not.Contain("planted-canary"));
    }

    [Test]
    public void Target_Equality_ReadsNamesAsASet()
    {
        var one = new TunnelTarget(new Uri("wss://relay.test"), "s", ["a.test", "b.test"]);

        Assert.That(one, Is.EqualTo(new TunnelTarget(new Uri("wss://relay.test"), "s", ["b.test", "a.test"])));
        Assert.That(one, Is.Not.EqualTo(one with { Hostnames = ["a.test"] }));
        Assert.That(one.HasSameRelay(one with { Hostnames = [] }), Is.True);
        Assert.That(one.HasSameRelay(one with { DeviceSecret = "t" }), Is.False);
    }

    [Test]
    public void Nx012_AnotherTarget_SignsWithItsSecret()
    {
        var one = Token("fact-sheet-secret-0123456789").Handshake().Split('.');
        var other = Token("another-secret-0123456789").Handshake().Split('.');

        Assert.That(other[..2], Is.EqualTo(one[..2]));
        Assert.That(other[2], Is.Not.EqualTo(one[2]));
    }

    [Test]
    public void Nx028_Nx029_Claims_HaveNoEmptyLists_NoPorts_AndAlwaysAWeight()
    {
        foreach (var token in new[] { Token(TunnelUnderTest.Secret).Handshake(), Token(TunnelUnderTest.Secret).Attest(Nonce) })
        {
            var claims = RelayTunnelHandshakeTests.Claims(token);
            Assert.That((long)claims["weight"]!, Is.EqualTo(1));
            Assert.That(claims.Select(claim => claim.Key), Has.None.AnyOf("tcp_ports", "udp_routes", "outbound_allowed", "allowed_outbound_ports"));
            Assert.That(claims.Where(claim => claim.Value is System.Text.Json.Nodes.JsonArray { Count: 0 }), Is.Empty);
        }
    }

    [Test]
    public async Task Nx030_EachToken_IsSignedAtTheMomentOfItsUse()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        var token = new NexusToken(new TunnelTarget(new Uri("wss://relay.test"), TunnelUnderTest.Secret, ["a.test"]), 1, new TunnelOptions(), time);
        var first = token.Handshake();
        time.Advance(TimeSpan.FromSeconds(7));
        var together = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(token.Handshake)));

        Assert.That((long)RelayTunnelHandshakeTests.Claims(first)["iat"]!, Is.EqualTo(1_700_000_000));
        Assert.That(together.Select(t => (long)RelayTunnelHandshakeTests.Claims(t)["iat"]!), Has.All.EqualTo(1_700_000_007));
    }

    private static NexusToken Token(string secret) => new(
        new TunnelTarget(new Uri("wss://relay.test"), secret, ["app.example.test"]),
        weight: 1,
        new TunnelOptions { Name = "edge-1", ReauthInterval = TimeSpan.FromMinutes(15), ReauthGrace = TimeSpan.Zero },
        Clock);
}
