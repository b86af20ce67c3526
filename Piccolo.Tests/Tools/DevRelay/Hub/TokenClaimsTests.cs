using System.Text.Json.Nodes;
using Piccolo.Tests.Tools.DevRelay.Fakes;
using static Piccolo.Tests.Tools.DevRelay.Fakes.HandshakeSteps;

namespace Piccolo.Tests.Tools.DevRelay.Hub;

/// <summary>What the relay accepts and refuses in tokens.</summary>
[Category("DevRelay"), Category("Nexus")]
internal sealed class TokenClaimsTests
{
    [TestCase("HS256", true)]
    [TestCase("HS384", true)]
    [TestCase("HS512", true)]
    [TestCase("none", false)]
    [TestCase("RS256", false)]
    public async Task Nx013_OnlyHmacAlgorithms_AreAccepted(string algorithm, bool accepted)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        await backend.SendTextAsync(TestTokens.Sign(TestTokens.Claims(Host), algorithm));

        Assert.That((await backend.NextAsync()).Opcode, Is.EqualTo(accepted ? 1 : 8));
    }

    [Test]
    public async Task Nx013_OtherSecret_IsNamedAsInvalidSignature()
    {
        var end = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host), secret: "another secret"));

        Assert.That(end.CloseReason, Is.EqualTo("stage0 token validation failed: jwt validation failed: token signature is invalid: signature is invalid"));
    }

    [TestCase("no dots at all")]
    [TestCase("a.b")]
    [TestCase("a.b.c.d")]
    [TestCase("!!.!!.!!")]
    [TestCase("e30.W10.AAAA")]
    public async Task Nx013_MalformedToken_Closes1008(string token)
    {
        var end = await RefusedAsync(token);

        Assert.That(end.CloseReason, Does.StartWith("stage0 token validation failed: jwt validation failed: token is malformed"));
    }

    [TestCase("iss")]
    [TestCase("aud")]
    public async Task Nx014_MissingIssuerOrAudience_ClosesBareBecauseTheReasonIsTooLong(string claim)
    {
        Assert.That((await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).Without(claim)))).Bare, Is.True);
    }

    [Test]
    public async Task Nx014_WrongIssuerOrAudience_Closes1008()
    {
        var issuer = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With("iss", "someone")));
        var audience = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With("aud", "others")));

        Assert.That(issuer.CloseReason, Does.EndWith("token has invalid issuer"));
        Assert.That(audience.CloseReason, Does.EndWith("token has invalid audience"));
    }

    [Test]
    public async Task Nx014_AudienceAsString_IsAccepted() => await AcceptedAsync(TestTokens.Claims(Host).With("aud", "nexus"));

    [TestCase("exp", 0, "token is expired")]
    [TestCase("exp", -100, "token is expired")]
    [TestCase("nbf", 1, "token is not valid yet")]
    public async Task Nx015_TimesOutsideTheToken_AreRefusedWithoutLeeway(string claim, int offset, string fault)
    {
        var time = FixedTime();

        var end = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With(claim, time.GetUtcNow().ToUnixTimeSeconds() + offset)), time);

        Assert.That(end.CloseReason, Does.EndWith("token has invalid claims: " + fault));
    }

    [TestCase("exp", 1)]
    [TestCase("nbf", 0)]
    [TestCase("iat", 3600)]
    public async Task Nx015_TimesInsideTheToken_AreAccepted(string claim, int offset)
    {
        var time = FixedTime();

        await AcceptedAsync(TestTokens.Claims(Host).With(claim, time.GetUtcNow().ToUnixTimeSeconds() + offset), time);
    }

    [Test]
    public async Task Nx016_HandshakeMaxAge_NeedsAYoungEnoughIssuedAt()
    {
        var time = FixedTime();
        var claims = TestTokens.Claims(Host).With("handshake_max_age_seconds", 10);
        var now = time.GetUtcNow().ToUnixTimeSeconds();

        var missing = await RefusedAsync(TestTokens.Sign(claims), time);
        var old = await RefusedAsync(TestTokens.Sign(claims.With("iat", now - 11)), time);

        Assert.That(missing.CloseReason, Is.EqualTo("stage0 token missing iat for handshake_max_age_seconds"));
        Assert.That(old.CloseReason, Does.StartWith("stage0 token exceeded handshake_max_age_seconds: age="));
        await AcceptedAsync(claims.With("iat", now - 10), time);
        await AcceptedAsync(claims.With("iat", now - 1000).With("handshake_max_age_seconds", 0), time);
    }

    [Test]
    public async Task Nx017_IssuedAtQuote_MustBeAString()
    {
        Assert.That((await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With("issued_at_quote", 5)))).Bare, Is.True);
        await AcceptedAsync(TestTokens.Claims(Host).With("issued_at_quote", "5"));
    }

    [TestCase("weight", "\"1\"")]
    [TestCase("weight", "1.5")]
    [TestCase("hostnames", "\"app.example.test\"")]
    [TestCase("hostnames", "[1]")]
    [TestCase("tcp_ports", "[\"53\"]")]
    [TestCase("outbound_allowed", "\"yes\"")]
    [TestCase("exp", "\"soon\"")]
    public async Task Nx017_WrongTypeInAKnownClaim_ClosesBare(string claim, string value)
    {
        Assert.That((await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With(claim, JsonNode.Parse(value))))).Bare, Is.True);
    }

    [TestCase(null, 1)]
    [TestCase(0, 1)]
    [TestCase(-3, 1)]
    [TestCase(7, 7)]
    public async Task Nx018_Stage0Weight_BecomesAtLeastOne(int? weight, int effective)
    {
        await using var relay = await RelayFixture.StartAsync();
        var claims = TestTokens.Claims(Host).With("weight", weight);

        await using var backend = await ScriptedBackend.OpenAsync(relay, claims, claims.Without("weight"));

        Assert.That(relay.Sessions().Single().Weight, Is.EqualTo(effective));
    }

    [Test]
    public async Task Nx018_Stage1Weight_MayBeAbsentOrZeroButNotDifferent()
    {
        await using var relay = await RelayFixture.StartAsync();
        var claims = TestTokens.Claims(Host).With("weight", 4);

        await using var same = await ScriptedBackend.OpenAsync(relay, claims, claims.With("weight", 0));
        var end = await Stage1Async(relay, nonce => claims.With("weight", 5).With("session_nonce", nonce), claims);

        Assert.That((end.CloseCode, end.CloseReason), Is.EqualTo((1008, "attested token weight differs from handshake token")));
    }

    [Test]
    public async Task Nx019_HostSets_CompareNormalised()
    {
        await using var relay = await RelayFixture.StartAsync();

        await using var backend = await ScriptedBackend.OpenAsync(
            relay, TestTokens.Claims("b.example.test", "A.example.test.", " "), TestTokens.Claims("a.example.test", "B.Example.Test", "a.example.test"));

        Assert.That(relay.Sessions().Single().Hostnames, Is.EqualTo(["a.example.test", "b.example.test"]));
    }

    [Test]
    public async Task Nx019_AnotherHostInStage1_Closes1008()
    {
        await using var relay = await RelayFixture.StartAsync();

        var end = await Stage1Async(relay, nonce => TestTokens.Claims(Host, "more.example.test").With("session_nonce", nonce));

        Assert.That(end.CloseReason, Is.EqualTo("attested token hostnames differ from handshake token"));
    }

    [TestCase("tcp:53")]
    [TestCase("UDP:53")]
    public async Task Nx020_RouteKeyAsHostname_RefusesTheToken(string name)
    {
        var end = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host, name)));

        Assert.That(end.CloseReason, Is.EqualTo($"reserved route key \"{name.ToLowerInvariant()}\" cannot be used as a hostname claim"));
    }

    [Test]
    public async Task Nx021_TcpClaimWithoutAllowList_IsRefused()
    {
        var end = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With("tcp_ports", new JsonArray(53))));

        Assert.That(end.CloseReason, Is.EqualTo("tcp port claim 53 is not allowed"));
    }

    [Test]
    public async Task Nx022_AllowedTcpClaims_AreDeduplicatedAndSorted()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.AllowedTcpPortClaims = new HashSet<int> { 2222, 25 });
        var claims = TestTokens.Claims().With("tcp_ports", new JsonArray(2222, 25, 2222));

        await using var backend = await ScriptedBackend.OpenAsync(relay, claims, claims.With("tcp_ports", new JsonArray(25, 2222)));

        Assert.That(relay.Sessions().Single().TcpPorts, Is.EqualTo([25, 2222]));
    }

    [Test]
    public async Task Nx023_UdpTimeouts_AreClampedBeforeComparing()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.AllowedUdpPortClaims = new HashSet<int> { 53, 54, 55 });
        var claims = TestTokens.Claims(Host);

        await using var backend = await ScriptedBackend.OpenAsync(
            relay, claims.With("udp_routes", Routes((53, 1), (54, 1000), (55, null))), claims.With("udp_routes", Routes((55, 30), (54, 300), (53, 5))));

        Assert.That(relay.Sessions(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nx024_OneUdpPortWithTwoTimeouts_IsRefused()
    {
        var token = TestTokens.Sign(TestTokens.Claims(Host).With("udp_routes", Routes((53, 10), (53, 20))));

        var end = await RefusedAsync(token, set: o => o.AllowedUdpPortClaims = new HashSet<int> { 53 });

        Assert.That(end.CloseReason, Is.EqualTo("conflicting udp route claims for port 53"));
    }

    [Test]
    public async Task Nx025_OutboundClaims_AreRefused()
    {
        var allowed = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With("outbound_allowed", true)));
        var ports = await RefusedAsync(TestTokens.Sign(TestTokens.Claims(Host).With("allowed_outbound_ports", new JsonArray(443))));

        Assert.That(allowed.CloseCode, Is.EqualTo(1008));
        Assert.That(ports.CloseCode, Is.EqualTo(1008));
    }

    [Test]
    public async Task Nx026_OutboundPortsWithoutPermission_AreRefusedAndWithoutBothNothingIsGranted()
    {
        await using var relay = await RelayFixture.StartAsync();
        var ports = await RefusedAsync(
            TestTokens.Sign(TestTokens.Claims(Host).With("allowed_outbound_ports", new JsonArray(443)).With("outbound_allowed", false)));
        await using var neither = await ScriptedBackend.OpenAsync(relay,
            TestTokens.Claims(Host).With("allowed_outbound_ports", new JsonArray()).With("outbound_allowed", false));

        await neither.SendControlAsync("outbound_connect", Guid.NewGuid(), j => j["target_addr"] = "127.0.0.1:443");

        Assert.That((ports.CloseCode, ports.CloseReason), Is.EqualTo((1008, "allowed_outbound_ports requires outbound_allowed")));
        Assert.That((await neither.NextControlAsync("outbound_result")).Text, Does.Not.Contain("success"));
    }

    [TestCase("{}", "stage0 token missing hostnames and port claims")]
    [TestCase("""{"hostnames":["  ",""]}""", "no valid hostnames after normalization")]
    public async Task Stage0_NothingClaimed_IsRefused(string claims, string reason)
    {
        var json = JsonNode.Parse(claims)!.AsObject().With("iss", "authorizer").With("aud", "nexus");

        Assert.That((await RefusedAsync(TestTokens.Sign(json))).CloseReason, Is.EqualTo(reason));
    }

    [Test]
    public async Task Stage1_StatusUriWithoutHttps_IsRefused()
    {
        await using var relay = await RelayFixture.StartAsync();

        var end = await Stage1Async(relay, n => TestTokens.Claims(Host).With("session_nonce", n).With("authorizer_status_uri", "http://status.test/"));

        Assert.That(end.CloseReason, Is.EqualTo("authorizer_status_uri must use https scheme"));
    }

    [Test]
    public async Task Stage0_TokenWithTrailingNewline_IsTolerated()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        await backend.SendTextAsync(TestTokens.Sign(TestTokens.Claims(Host)) + "\n");

        Assert.That((await backend.NextAsync()).Opcode, Is.EqualTo(1));
    }

    [Test]
    public async Task Nx114_SessionEnds_WhenTheSocketCloses()
    {
        await using var relay = await RelayFixture.StartAsync();
        var backend = await ScriptedBackend.OpenAsync(relay, Host);

        await backend.DisposeAsync();

        await relay.WaitForSessionsAsync(s => s.Count == 0, default).WaitAsync(ScriptedBackend.Patience);
    }

    [Test]
    public async Task CloseFromTheBackend_IsEchoedWithItsCodeAndNoReason()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        await backend.SendAsync(0x8, [0x03, 0xe8, .. "bye"u8]);

        var end = await backend.NextAsync();
        Assert.That(end.Payload, Is.EqualTo(new byte[] { 0x03, 0xe8 }));
        Assert.That((await backend.NextAsync()).Bare, Is.True);
    }
}
