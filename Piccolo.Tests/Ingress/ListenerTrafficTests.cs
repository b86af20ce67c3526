using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;
using static Piccolo.Tests.Ingress.Tls.TlsTerminationTests;

namespace Piccolo.Tests.Ingress;

internal sealed class ListenerTrafficTests
{
    private CapturedLog _log = null!;
    private FrontDoor _door = null!;
    private FakeApp _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _log = new CapturedLog();
        _door = await StartAsync(log: _log);
        _app = await FakeApp.StartAsync(async c =>
        {
            c.Response.StatusCode = c.Request.Path == "/missing" ? 404 : 200;
            await c.Request.Body.CopyToAsync(Stream.Null);
            await c.Response.WriteAsync(new string('x', 10_000));
        });
        _door.PublishApp("web", _app.Port);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _app.DisposeAsync();
        await _door.DisposeAsync();
        _log.Dispose();
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Requests_OverTls_AreCountedByListener(string version)
    {
        using (var client = _door.ClientFor(_door.HttpsPort))
        {
            client.DefaultRequestVersion = Version.Parse(version);
            client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            using var ok = await client.PostAsync("https://web.home.test/", new ByteArrayContent(new byte[50_000]));
            using var missing = await client.GetAsync("https://web.home.test/missing");
            await ok.Content.ReadAsByteArrayAsync();
            await missing.Content.ReadAsByteArrayAsync();
        }
        // An answer is counted after its last byte, when its client has it already.
        var counters = _door.Get<ListenerTraffic>().Of("web");
        await EventuallyAsync(() => counters.Answers(2) == 1 && counters.Answers(4) == 1);

        Assert.That(counters.Connections, Is.EqualTo(1));
        Assert.That(counters.BytesIn, Is.InRange(50_000, 60_000));
        Assert.That(counters.BytesOut, Is.InRange(20_000, 25_000));
    }

    [Test]
    public async Task Splice_WhenItEnds_IsCountedByListener()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        double? lasted = null;
        using var durations = MeterListeners.On(_door.Get<IMeterFactory>(), "piccolo.ingress.spliced.duration");
        durations.SetMeasurementEventCallback<double>((_, seconds, _, _) => lasted = seconds);
        durations.Start();
        var hello = HelloBytes.WithServerName("own.home.test");
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(hello);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);
        await app.SendAsync(new byte[777]);
        app.Shutdown(SocketShutdown.Send);
        client.Shutdown(SocketShutdown.Send);
        await ReadToEndAsync(client);
        var counters = _door.Get<ListenerTraffic>().Of("own");
        await EventuallyAsync(() => counters.BytesOut == 777);

        Assert.That((counters.Connections, counters.BytesIn), Is.EqualTo((1, hello.Length)));
        Assert.That(lasted, Is.InRange(0.000_001, Patience.TotalSeconds), "how long it lasted is told before its bytes are");
    }

    [Test]
    public async Task Handshake_ThatBreaks_IsCountedWithItsReason()
    {
        using (var client = await ConnectAsync(_door.HttpsPort))
        {
            await client.SendAsync(HelloBytes.Captured("curl-7.88-h2.bin"));
            await client.ReceiveAsync(new byte[1]).WaitAsync(Patience);
            await client.SendAsync(new byte[] { 21, 3, 3, 0, 2, 2, 42 });
            await ReadToEndAsync(client);
        }
        var counters = _door.Get<ListenerTraffic>().Of("web");

        await EventuallyAsync(() => Enum.GetValues<HandshakeFailure>().Sum(counters.HandshakeFailures) == 1);
        Assert.That(counters.HandshakeFailures(HandshakeFailure.Timeout), Is.Zero);
    }

    [Test]
    public void Metrics_OfListenersThatAreGone_AreForgotten()
    {
        var traffic = _door.Get<ListenerTraffic>();
        traffic.Of("gone").Connected();
        traffic.Of("web").Connected();
        _door.Get<ListenerTable>().Replace([Listener("web", _app.Port)]);
        var seen = new List<(string Name, string Listener)>();
        using var listener = MeterListeners.On(_door.Get<IMeterFactory>(), instrument => instrument.Meter.Name == IngressMetrics.MeterName);
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
        {
            foreach (var tag in tags) if (tag.Key == "listener") seen.Add((instrument.Name, (string)tag.Value!));
        });
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.That(seen, Does.Contain(("piccolo.ingress.listener.connections", "web")).And.Contain(("piccolo.ingress.listener.responses", "web")));
        Assert.That(seen.Select(s => s.Listener), Does.Not.Contain("gone"));
        Assert.That(traffic.Of("gone").Connections, Is.Zero);
    }

    [Test]
    public async Task AccessLog_Default_TellsOfThePortalAndNotOfApps()
    {
        using var client = _door.ClientFor(_door.HttpsPort);
        using var portal = _door.ClientFor(_door.HttpPort);
        await client.GetStringAsync("https://web.home.test/private");
        await portal.GetStringAsync("http://localhost/api/v1/apps%0Aforged?token=secret");
        await EventuallyAsync(() => _log.Count(1032) > 0);

        var line = _log.Entries.Single(e => e.EventId == 1032).Message;
        Assert.That(line, Does.StartWith("(portal) GET /api/v1/apps?forged answered 200 in ").And.Contain("origin=Loopback"));
        Assert.That(_log.Text, Does.Not.Contain("secret").And.Not.Contain("/private"));
    }

    [Test]
    public async Task AccessLog_OfAppsSwitchedOn_TellsOfThem()
    {
        using var log = new CapturedLog();
        await using var door = await StartAsync(new() { ["AccessLog:Apps"] = "true", ["AccessLog:Portal"] = "false" }, log: log);
        door.PublishApp("web", _app.Port);
        using var client = door.ClientFor(door.HttpsPort);
        using var portal = door.ClientFor(door.HttpPort);

        await portal.GetStringAsync("http://localhost/");
        await client.GetStringAsync("https://web.home.test/page");
        await EventuallyAsync(() => log.Count(1032) > 0);

        Assert.That(log.Entries.Where(e => e.EventId == 1032).Select(e => e.Message), Has.Exactly(1).StartsWith("web GET /page answered 200 in "));
    }

    /// <summary>What is counted after a client has its answer cannot be awaited by that client: looks again until patience ends.</summary>
    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, patience.Token);
    }
}
