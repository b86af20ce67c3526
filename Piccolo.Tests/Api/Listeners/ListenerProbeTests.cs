using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Listeners;
using Piccolo.Core.Apps;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Api.Listeners;

internal sealed class ListenerProbeTests
{
    private static readonly IngressOptions Quick = new()
    {
        ProbeInterval = TimeSpan.FromMilliseconds(50),
        ProbeRetry = TimeSpan.FromMilliseconds(50),
        ProbeTimeout = TimeSpan.FromSeconds(10),
    };

    [Test]
    public async Task Try_AppThatAccepts_Answers()
    {
        using var app = PassThroughTests.StartListening(out var port);
        using var probe = new ListenerProbe(Options.Create(Quick), TimeProvider.System);

        Assert.That(await probe.TryAsync(FrontDoor.Listener("web", port), default), Is.Null);
    }

    [Test]
    public async Task Try_NobodyThere_SaysSo()
    {
        int port;
        using (PassThroughTests.StartListening(out port)) { }
        using var probe = new ListenerProbe(Options.Create(Quick), TimeProvider.System);

        Assert.That(await probe.TryAsync(FrontDoor.Listener("web", port), default), Is.EqualTo("The app does not accept connections."));
        Assert.That(await probe.TryAsync(WithPath(port, "/"), default), Is.EqualTo("The app does not accept connections."));
    }

    [TestCase("/well", null)]
    [TestCase("/moved", null)]
    [TestCase("/ill", "The app answered its health path with 503.")]
    [TestCase("/missing", "The app answered its health path with 404.")]
    public async Task Try_HealthPath_GoesByTheAnswer(string path, string? expected)
    {
        await using var app = await FakeApp.StartAsync(c =>
        {
            c.Response.StatusCode = c.Request.Path.Value switch { "/well" => 200, "/moved" => 302, "/ill" => 503, _ => 404 };
            return Task.CompletedTask;
        });
        using var probe = new ListenerProbe(Options.Create(Quick), TimeProvider.System);

        Assert.That(await probe.TryAsync(WithPath(app.Port, path), default), Is.EqualTo(expected));
    }

    [Test]
    public async Task Try_AppThatNeverAnswers_IsGivenItsTime()
    {
        using var app = PassThroughTests.StartListening(out var port);
        using var probe = new ListenerProbe(Options.Create(new IngressOptions { ProbeTimeout = TimeSpan.FromMilliseconds(100) }), TimeProvider.System);

        Assert.That(await probe.TryAsync(WithPath(port, "/"), default), Is.EqualTo("The app did not answer within 0.1 s."));
    }

    [Test]
    public async Task Loop_AppComesGoesAndStops_ShowsEach()
    {
        var table = new ListenerTable();
        var apps = new AppStatusBoard(TimeProvider.System);
        var health = new ListenerHealth(TimeProvider.System);
        using var probe = new ListenerProbe(Options.Create(Quick), TimeProvider.System);
        using var loop = new ListenerProbeLoop(table, apps, probe, health, Options.Create(Quick), TimeProvider.System, NullLogger<ListenerProbeLoop>.Instance);
        var upstream = PassThroughTests.StartListening(out var port);
        table.Replace([FrontDoor.Listener("web", port)]);

        await loop.StartAsync(default);
        Assert.That(health.Find("web"), Is.Null, "its app does not run");
        apps.Set("sample", AppState.Running);
        await WhenAsync(health, h => h is { Answers: true });
        upstream.Dispose();
        await WhenAsync(health, h => h is { Answers: false });
        var down = health.Find("web")!;
        using var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
        await WhenAsync(health, h => h is { Answers: true });
        apps.Set("sample", AppState.Stopped);
        await WhenAsync(health, h => h is null);
        await loop.StopAsync(default);

        Assert.That(down.Reason, Is.EqualTo("The app does not accept connections."));
    }

    private static async Task WhenAsync(ListenerHealth health, Func<ProbedListener?, bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var seen = health.Changed.Version;
            if (condition(health.Find("web"))) return;
            await health.Changed.WaitAsync(seen, patience.Token);
        }
    }

    private static PublishedListener WithPath(int port, string path)
    {
        var listener = FrontDoor.Listener("web", port);
        return listener with { Definition = listener.Definition with { HealthPath = path } };
    }
}
