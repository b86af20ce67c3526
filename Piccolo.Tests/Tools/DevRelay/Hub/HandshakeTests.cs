using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;
using static Piccolo.Tests.Tools.DevRelay.Fakes.HandshakeSteps;

namespace Piccolo.Tests.Tools.DevRelay.Hub;

[Category("DevRelay"), Category("Nexus")]
internal sealed class HandshakeTests
{

    [TestCase("/")]
    [TestCase("/connect/")]
    [TestCase("/connected")]
    public async Task Nx001_OtherPath_Gives404(string path)
    {
        await using var relay = await RelayFixture.StartAsync();

        await using var backend = await ScriptedBackend.ConnectAsync(relay, path);

        Assert.That(backend.UpgradeResponse, Does.StartWith("HTTP/1.1 404 "));
    }

    [Test]
    public async Task Nx001_OffersOfProtocolAndExtension_AreNotTaken()
    {
        await using var relay = await RelayFixture.StartAsync();

        await using var backend = await ScriptedBackend.ConnectAsync(
            relay, "/connect?x=1", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nOrigin: https://elsewhere.test\r\n");

        var lines = backend.UpgradeResponse.Trim().Split("\r\n");
        Assert.That(lines[0], Does.StartWith("HTTP/1.1 101 "));
        Assert.That(lines.Skip(1).Select(l => l.Split(':')[0]), Is.EquivalentTo(["Upgrade", "Connection", "Sec-WebSocket-Accept"]));
        // The key and its answer are those of RFC 6455, section 1.3.
        Assert.That(backend.UpgradeResponse, Does.Contain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    [Test]
    public async Task Nx003_BinaryFirstFrame_Closes1008NamingStageAndType()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        await backend.SendBinaryAsync([1, 2, 3]);

        var close = await backend.NextAsync();
        Assert.That((close.CloseCode, close.CloseReason), Is.EqualTo((1008, "expected text frame for stage0 token, got type 2")));
    }

    [Test]
    public async Task Nx004_Challenge_IsOneTextFrameWithA43CharacterNonce()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        await backend.SendTextAsync(TestTokens.Sign(TestTokens.Claims(Host)));

        var frame = await backend.NextAsync();
        Assert.That(frame.Opcode, Is.EqualTo(1));
        Assert.That(frame.Text, Does.Match("""^\{"type":"handshake_challenge","nonce":"[A-Za-z0-9_-]{43}"\}$"""));
    }

    [Test]
    public async Task Nx007_AfterStage1_NothingIsSentAndUsersAreRouted()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        using var user = await relay.KnockAsync(RelayFixture.Get(Host));

        var first = await backend.NextAsync();
        Assert.That(first.IsControl && first.Event == "connect", Is.True);
    }

    [Test]
    public async Task Nx008_WrongNonceOfFullLength_ClosesWithoutCloseFrame()
    {
        await using var relay = await RelayFixture.StartAsync();

        var end = await Stage1Async(relay, nonce => TestTokens.Claims(Host).With("session_nonce", new string('x', nonce.Length)));

        Assert.That(end.Bare, Is.True);
        Assert.That(relay.Sessions(), Is.Empty);
    }

    [TestCase("short")]
    [TestCase("")]
    public async Task Nx008_ShortNonce_Closes1008(string wrong)
    {
        await using var relay = await RelayFixture.StartAsync();

        var end = await Stage1Async(relay, _ => TestTokens.Claims(Host).With("session_nonce", wrong));

        Assert.That(end.CloseCode, Is.EqualTo(1008));
        Assert.That(end.CloseReason, Does.StartWith("session nonce mismatch: expected ").And.EndWith(" got " + wrong));
    }

    [Test]
    public async Task Nx009_NoStage0_Closes1008()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { Handshake = TimeSpan.FromMilliseconds(300) });
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        var end = await backend.NextAsync();

        Assert.That((end.CloseCode, end.CloseReason), Is.EqualTo((1008, "read stage0 token: i/o timeout")));
    }

    [Test]
    public async Task Nx009_NoStage1_EndsWithoutCloseFrame()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { Handshake = TimeSpan.FromMilliseconds(300) });
        await using var backend = await ScriptedBackend.ConnectAsync(relay);
        await backend.SendTextAsync(TestTokens.Sign(TestTokens.Claims(Host)));
        await backend.ReadChallengeAsync("handshake_challenge");

        var end = await backend.NextAsync();

        Assert.That(end.Bare, Is.True);
    }
}
