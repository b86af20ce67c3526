using System.Buffers.Text;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Wire;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class RelayTunnelHandshakeTests
{
    [Test]
    public async Task Nx001_Nx002_Nx006_Open_UpgradesPlainlyAndSendsBothTokens()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();

        var peer = await under.OpenAsync(relay, "web.home.test", "portal.home.test");

        Assert.That(peer.RequestTarget, Is.EqualTo("HTTP/1.1 /connect"));
        Assert.That(peer.RequestHeaders.SecWebSocketExtensions.ToString(), Is.Empty);
        Assert.That(peer.RequestHeaders.SecWebSocketProtocol.ToString(), Is.Empty);
        var first = Claims(peer.HandshakeToken);
        var second = Claims(peer.AttestedToken);
        Assert.That(first["hostnames"]!.ToJsonString(), Is.EqualTo("""["portal.home.test","web.home.test"]"""));
        Assert.That((int)first["handshake_max_age_seconds"]!, Is.EqualTo(10));
        Assert.That(first.ContainsKey("session_nonce"), Is.False);
        Assert.That((string)second["session_nonce"]!, Is.EqualTo(RelayPeer.Nonce));
        Assert.That(second.ContainsKey("handshake_max_age_seconds"), Is.False);
        foreach (var claim in new[] { "hostnames", "weight", "iss", "sub", "aud", "reauth_interval_seconds", "reauth_grace_seconds" })
            Assert.That(second[claim]!.ToJsonString(), Is.EqualTo(first[claim]!.ToJsonString()), claim);
        Assert.That((long)first["exp"]! - (long)first["iat"]!, Is.EqualTo(30));
        Assert.That(first["aud"]!.ToJsonString(), Is.EqualTo("""["nexus"]"""));
    }

    [Test]
    public async Task Nx011_Open_IsOnlineOnlyAfterTheAcknowledgement()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.NextAsync();
        peer.AnswersProbes = false;
        await peer.HandshakeAsync();

        var probe = await peer.NextAsync(frame => frame.IsControl("outbound_connect"));
        var before = under.Tunnel.Status;
        await peer.AnswerProbeAsync(probe);
        var after = await under.UntilAsync(status => status.State == TunnelState.Online);
        await peer.AnswerProbeAsync(await peer.NextAsync(frame => frame.IsControl("outbound_connect")));
        var measured = await under.UntilAsync(status => status.RoundTrip is not null);

        Assert.That(probe.Control!.ContainsKey("target_addr"), Is.False);
        Assert.That(before.State, Is.EqualTo(TunnelState.Authenticating));
        Assert.That((before.Sessions, before.Hostnames.Count), Is.EqualTo((0, 0)));
        Assert.That((after.Sessions, after.Hostnames.Single()), Is.EqualTo((1, "web.home.test")));
        Assert.That(after.LastHandshake, Is.Not.Null);
        Assert.That(measured.RoundTrip, Is.GreaterThan(TimeSpan.Zero).And.LessThan(ScriptedRelay.Patience));
    }

    [Test]
    public async Task Nx011_Open_WithoutAcknowledgement_IsAcceptedWhenTheSocketLivesOn()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.AcknowledgeTimeout = TimeSpan.FromMilliseconds(300));
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.NextAsync();
        peer.AnswersProbes = false;
        await peer.HandshakeAsync();

        var status = await under.UntilAsync(status => status.State == TunnelState.Online);

        Assert.That(status.RoundTrip, Is.Null);
    }

    [TestCase("stage0 token validation failed: jwt validation failed: token signature is invalid: signature is invalid", "secret_rejected")]
    [TestCase("stage0 token validation failed: jwt validation failed: token has invalid claims: token is expired", "clock_differs")]
    [TestCase("no valid hostnames after normalization", "names_rejected")]
    [TestCase("something\u0007else", "refused")]
    public async Task Nx010_Open_ClosedWith1008AtStage0_IsRefusedAndSaysWhy(string reason, string code)
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.ReconnectBase = options.ReconnectMax = TimeSpan.FromMinutes(1));
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.NextAsync();
        await peer.NextTextAsync();

        await peer.CloseAsync(WebSocketCloseStatus.PolicyViolation, reason);
        var status = await under.UntilAsync(status => status.State == TunnelState.Refused);

        Assert.That(status.Code, Is.EqualTo(code));
        Assert.That(status.Reason, Does.Contain(reason.Replace('\u0007', ' ')));
        Assert.That(status.NextStep, Is.Not.Empty);
        Assert.That(status.Until, Is.GreaterThan(TimeProvider.System.GetUtcNow()));
        Assert.That((status.Sessions, status.LastHandshake), Is.EqualTo((0, default(DateTimeOffset?))));
    }

    [Test]
    public async Task Nx010_Open_BareCloseAfterStage1_IsRefusedAndTriedAgain()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.NextAsync();
        peer.AnswersProbes = false;
        await peer.HandshakeAsync();

        peer.Cut();
        var refused = await under.UntilAsync(status => status.State == TunnelState.Refused);
        await relay.AcceptAsync();
        var online = await under.UntilAsync(status => status.State == TunnelState.Online);

        Assert.That(refused.Code, Is.EqualTo("refused"));
        Assert.That((online.Code, online.Reason), Is.EqualTo((default(string), default(string))));
        Assert.That(online.Reconnects, Is.Zero, "there was no session to return to");
    }

    [TestCase("""{"type":"something_else","nonce":"AAEC"}""")]
    [TestCase("""{"type":"handshake_challenge","nonce":"  "}""")]
    [TestCase("""{"type":"handshake_challenge"}""")]
    [TestCase("""{"type":"handshake_challenge","nonce":7}""")]
    [TestCase("not json")]
    [TestCase("")]
    public async Task Nx005_Open_BrokenChallenge_IsRefusedAndBacksOff(string challenge)
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.ReconnectBase = options.ReconnectMax = TimeSpan.FromMinutes(1));
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.NextAsync();
        await peer.NextTextAsync();

        await peer.SendTextAsync(challenge);

        Assert.That((await under.UntilAsync(status => status.Until is not null)).Code, Is.EqualTo("bad_challenge"));
        await peer.Ended;
    }

    [Test]
    public async Task Nx005_Open_BinaryOrHugeOrMissingChallenge_FailsTheAttempt()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.ChallengeTimeout = TimeSpan.FromMilliseconds(200));
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));

        var binary = await relay.NextAsync();
        await binary.SendRawAsync(Encoding.UTF8.GetBytes("""{"type":"handshake_challenge","nonce":"AAEC"}"""));
        await under.UntilAsync(status => status.Code == "bad_challenge");
        var huge = await relay.NextAsync();
        await huge.SendTextAsync(new string(' ', RelaySocket.MaxMessageBytes + 1));
        await huge.Ended;
        await relay.NextAsync();
        var silent = await under.UntilAsync(status => status.Code == "no_challenge");

        Assert.That(silent.State, Is.EqualTo(TunnelState.Waiting).Or.EqualTo(TunnelState.Connecting));
    }

    [Test]
    public async Task Nx032_Reauthentication_AnswersWithABareTokenOverTheNonce()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        var peer = await under.OpenAsync(relay, "web.home.test");

        await peer.SendTextAsync("""{"type":"unknown_text"}""");
        await peer.SendTextAsync("""{"type":"reauth_challenge","nonce":" "}""");
        await peer.SendTextAsync("""{"type":"reauth_challenge","nonce":"second-nonce"}""");
        var answer = await peer.NextTextAsync();

        var claims = Claims(answer.Text);
        Assert.That((string)claims["session_nonce"]!, Is.EqualTo("second-nonce"));
        Assert.That(claims["hostnames"]!.ToJsonString(), Is.EqualTo("""["web.home.test"]"""));
        Assert.That((long)claims["weight"]!, Is.EqualTo((long)Claims(peer.AttestedToken)["weight"]!));
        Assert.That(under.Tunnel.Status.State, Is.EqualTo(TunnelState.Online));
    }

    [Test]
    public async Task Nx031_NamesThatChangeBetweenTheTokens_AreInNeither()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.NextAsync();
        var first = (await peer.NextTextAsync()).Text;

        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test", "new.home.test"));
        await peer.SendTextAsync($$"""{"type":"handshake_challenge","nonce":"{{RelayPeer.Nonce}}"}""");
        var second = (await peer.NextTextAsync()).Text;
        var fresh = await relay.AcceptAsync();

        Assert.That(Claims(first)["hostnames"]!.ToJsonString(), Is.EqualTo("""["web.home.test"]"""));
        Assert.That(Claims(second)["hostnames"]!.ToJsonString(), Is.EqualTo("""["web.home.test"]"""));
        Assert.That(Claims(fresh.HandshakeToken)["hostnames"]!.AsArray(), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Nx039_ASlowSigner_DoesNotStopTheReader()
    {
        using var time = new StoppingTime();
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(time: time);
        var peer = await under.OpenAsync(relay, "web.home.test");
        await under.UntilAsync(status => status.RoundTrip is not null);
        await peer.ConnectAsync("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "web.home.test");
        await using var stream = await under.AcceptAsync();
        await peer.NextControlAsync("resume_stream");

        time.Stop();
        await peer.SendTextAsync("""{"type":"reauth_challenge","nonce":"slow"}""");
        await time.Stopped.WaitAsync(ScriptedRelay.Patience);
        await peer.SendDataAsync("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "meanwhile"u8.ToArray());
        var meanwhile = await TunnelUnderTest.ReadAsync(stream.Input, 9);
        time.GoOn();

        Assert.That(Encoding.ASCII.GetString(meanwhile), Is.EqualTo("meanwhile"));
        Assert.That((string)Claims((await peer.NextTextAsync()).Text)["session_nonce"]!, Is.EqualTo("slow"));
    }

    [TestCase("No names", "no_names")]
    [TestCase("Names that are none", "no_names")]
    public async Task Nx149_WithoutANameToServe_NothingIsDialled(string label, string code)
    {
        await using var relay = await ScriptedRelay.StartAsync();
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        await using var under = new TunnelUnderTest(time: time);

        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, label == "No names" ? [] : ["udp:53", "*.home.test", "a b"]));

        Assert.That((await under.UntilAsync(status => status.Code is not null)).Code, Is.EqualTo(code));
        await TunnelUnderTest.AssertDialsNoMoreAsync(relay, time);
    }

    [TestCase(429, "rate_limited", TunnelState.Waiting)]
    [TestCase(503, "relay_unavailable", TunnelState.Waiting)]
    [TestCase(401, "not_a_relay", TunnelState.Refused)]
    [TestCase(403, "not_a_relay", TunnelState.Refused)]
    public async Task Nx143_HttpRefusals_AreToldApartAndNoneIsForEver(int http, string code, TunnelState state)
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.ReconnectMax = TimeSpan.FromHours(1), () => 0.01);
        var before = TimeProvider.System.GetUtcNow();

        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri(relay.Endpoint, $"/status/{http}"), "web.home.test"));
        var status = await under.UntilAsync(status => status.Code is not null && status.Until is not null);

        Assert.That((status.Code, status.State), Is.EqualTo((code, state)));
        Assert.That(status.NextStep, Is.Not.Empty);
        Assert.That(status.Until - before > TimeSpan.FromMinutes(30), Is.EqualTo(http == 429), "a relay that asks for it is left alone for long");
    }

    [Test]
    public async Task Verify_OpensASessionAndLeavesNothing()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();

        var verifying = under.Tunnel.VerifyAsync(relay.Endpoint, TunnelUnderTest.Secret, CancellationToken.None);
        var peer = await relay.AcceptAsync();
        var good = await verifying.WaitAsync(ScriptedRelay.Patience);
        await peer.Ended;
        var refusing = under.Tunnel.VerifyAsync(relay.Endpoint, TunnelUnderTest.Secret, CancellationToken.None);
        var second = await relay.NextAsync();
        await second.CloseAsync(WebSocketCloseStatus.PolicyViolation, "token signature is invalid");
        var bad = await refusing.WaitAsync(ScriptedRelay.Patience);

        Assert.That((string)Claims(peer.HandshakeToken)["hostnames"]![0]!, Does.EndWith(".invalid"));
        Assert.That((good.Accepted, good.RoundTrip is not null), Is.EqualTo((true, true)));
        Assert.That((bad.Accepted, bad.Code), Is.EqualTo((false, "secret_rejected")));
        Assert.That(peer.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        Assert.That((under.Tunnel.Status.State, under.Tunnel.Status.Sessions), Is.EqualTo((TunnelState.Disabled, 0)));
    }

    /// <summary>Checks the signature with the test's own arithmetic, then reads the claims.</summary>
    internal static JsonObject Claims(string token)
    {
        var parts = token.Split('.');
        Assert.That(parts, Has.Length.EqualTo(3));
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(TunnelUnderTest.Secret), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));
        Assert.That(Base64Url.DecodeFromChars(parts[2]), Is.EqualTo(expected));
        Assert.That(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])), Is.EqualTo("""{"alg":"HS256","typ":"JWT"}"""));
        return JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!.AsObject();
    }
}
