using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Entry;

/// <summary>How long and how much the relay looks at before it knows where a user wants to go.</summary>
[Category("DevRelay"), Category("Nexus")]
internal sealed class PeekLimitTests
{
    private const string Host = "app.example.test";

    [TestCase(30_000, true)]
    [TestCase(33_000, false)]
    public async Task Nx119_HelloOverTheLimit_IsDropped(int size, bool served)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        using var user = await relay.KnockAsync(TestHellos.Padded(Host, size));

        if (served) await backend.NextControlAsync("connect");
        else Assert.That(await user.ReadToEndAsync(), Is.Empty);
        if (!served) Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [TestCase(60_000, true)]
    [TestCase(66_000, false)]
    public async Task Nx120_HttpHeadOverTheLimit_IsDroppedAndOneBelowIsOneMessage(int size, bool served)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var request = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {Host}\r\nX-Long: {new string('x', size)}\r\n\r\n");

        using var user = await relay.KnockAsync(request);

        if (served)
        {
            var connect = await backend.NextControlAsync("connect");
            Assert.That((await backend.NextDataAsync(connect.Id)).Data, Is.EqualTo(request));
        }
        else
        {
            Assert.That(await user.ReadToEndAsync(), Is.Empty);
            Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
        }
    }

    [Test]
    public async Task Nx121_SilentUser_IsClosedAfterBothFirstByteLimits()
    {
        await using var relay = await StartQuickAsync();
        var from = TimeProvider.System.GetTimestamp();

        using var user = await relay.KnockAsync([]);

        Assert.That(await user.ReadToEndAsync(), Is.Empty);
        Assert.That(TimeProvider.System.GetElapsedTime(from), Is.GreaterThan(TimeSpan.FromMilliseconds(600)));
    }

    [Test]
    public async Task Nx121_SilentUserOfAClaimedPort_ReachesTheBackendWithoutPrelude()
    {
        await using var relay = await StartQuickAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims().With("tcp_ports", new JsonArray(2222)));
        using var user = await relay.KnockAsync([], 2222);

        var connect = await backend.NextControlAsync("connect");
        await backend.SendDataAsync(connect.Id, "220 hello"u8.ToArray());

        Assert.That(await user.ReadExactlyAsync(9), Is.EqualTo("220 hello"u8.ToArray()));
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [TestCase("tls")]
    [TestCase("http")]
    public async Task Nx121_DripFeeder_IsStoppedAtTheHardCap(string kind)
    {
        await using var relay = await StartQuickAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var bytes = kind == "tls" ? TestHellos.AppExampleTest : RelayFixture.Get(Host + new string('.', 500));
        using var user = await relay.KnockAsync(bytes[..1]);
        var closed = user.ReadToEndAsync();
        var sent = 1;

        while (!closed.IsCompleted && sent < bytes.Length)
        {
            await Task.WhenAny(closed, StreamSteps.PassAsync(TimeSpan.FromMilliseconds(30)));
            try
            {
                await user.SendAsync(bytes.AsMemory(sent++, 1));
            }
            catch (SocketException)
            {
                break;
            }
        }

        Assert.That(await closed, Is.Empty);
        Assert.That(sent, Is.InRange(5, bytes.Length - 1));
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx121_NonHttpBytesOnAClaimedPort_WaitForTheExtensionUnlessALineComes()
    {
        await using var relay = await StartQuickAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims().With("tcp_ports", new JsonArray(2222)));
        var from = TimeProvider.System.GetTimestamp();

        using var slow = await relay.KnockAsync("\0\u0001binary"u8.ToArray(), 2222);
        var first = await backend.NextControlAsync("connect");
        var waited = TimeProvider.System.GetElapsedTime(from);
        Assert.That((await backend.NextDataAsync(first.Id)).Data, Is.EqualTo("\0\u0001binary"u8.ToArray()));
        Assert.That(waited, Is.GreaterThan(TimeSpan.FromMilliseconds(190)));

        using var quick = await relay.KnockAsync("SSH-2.0-x\r\n"u8.ToArray(), 2222);
        var second = await backend.NextControlAsync("connect");
        Assert.That((await backend.NextDataAsync(second.Id)).Data, Is.EqualTo("SSH-2.0-x\r\n"u8.ToArray()));
    }

    [Test]
    public async Task Nx122_PeekLimit_ClosesTheNextUserAndFreesItsSlot()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.PeekLimit = 1);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        using var peeking = await relay.KnockAsync("G"u8.ToArray());
        using var refused = await relay.KnockAsync(RelayFixture.Get(Host));
        Assert.That(await refused.ReadToEndAsync(), Is.Empty);

        await peeking.SendAsync(RelayFixture.Get(Host)[1..]);
        await backend.NextDataAsync((await backend.NextControlAsync("connect")).Id);

        var (third, _) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        third.Dispose();
    }

    [Test]
    public async Task Nx122_PeekLimitMinusOne_IsNoLimit()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.PeekLimit = -1);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var peeking = new List<Socket>();
        for (var i = 0; i < 300; i++) peeking.Add(await relay.KnockAsync("G"u8.ToArray()));

        using var user = await relay.KnockAsync(RelayFixture.Get(Host));

        await backend.NextControlAsync("connect");
        peeking.ForEach(p => p.Dispose());
    }

    private static Task<Relay> StartQuickAsync() => RelayFixture.StartAsync(o =>
    {
        o.AllowedTcpPortClaims = new HashSet<int> { 2222 };
        o.Clocks = new RelayClocks
        {
            PeekFirstByte = TimeSpan.FromMilliseconds(400),
            PeekExtension = TimeSpan.FromMilliseconds(200),
            PeekTotal = TimeSpan.FromMilliseconds(800),
        };
    });
}
