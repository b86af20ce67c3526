using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Session;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class RelayTunnelRobustnessTests
{
    private const string A = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

    [Test]
    public async Task Nx113_ARelayThatAnswersNoPing_IsLostAndDialledAgain()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromSeconds(1));
        var peer = await under.OpenAsync(relay, "web.home.test");

        // It still reads the answer to this, and then nothing more.
        peer.IsStalled = true;
        await peer.SendDataAsync(A, [1]);
        var again = await relay.AcceptAsync();
        var status = await under.UntilAsync(status => status.State == TunnelState.Online && status.Reconnects == 1);
        peer.IsStalled = false;

        Assert.That(again.AttestedToken, Is.Not.Empty);
        Assert.That(status.Sessions, Is.EqualTo(1));
    }

    [Test]
    public async Task ARelayThatTakesNoMore_IsLostAfterTheWriteTimeout()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options =>
        {
            options.WriteTimeout = TimeSpan.FromSeconds(1);
            options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromSeconds(40);
            options.ReconnectBase = options.ReconnectMax = TimeSpan.FromMinutes(1);
        });
        var peer = await under.OpenAsync(relay, "web.home.test");
        await peer.ConnectAsync(A, "web.home.test", credits: 1_000_000);
        await using var stream = await under.AcceptAsync();

        peer.IsStalled = true;
        var block = new byte[65_536];
        while (!(await stream.Output.WriteAsync(block)).IsCompleted) { }
        var status = await under.UntilAsync(status => status.State == TunnelState.Waiting);
        peer.IsStalled = false;

        Assert.That(status.Code, Is.EqualTo("write_timeout"));
    }

    [Test]
    public void Writer_OwesOnlySoMuch()
    {
        using var nowhere = new MemoryStream();
        var options = new TunnelOptions();
        using var socket = new RelaySocket(nowhere, null, options, TimeProvider.System);
        var token = new NexusToken(TunnelUnderTest.Target(new Uri("wss://relay.test"), "web.home.test"), 1, options, TimeProvider.System);
        var writer = new SessionWriter(socket, token, options, TimeProvider.System, new TunnelTraffic());
        var message = ControlMessage.Disconnect(StreamId.New(), DisconnectReason.Unknown);

        for (var courtesy = 0; courtesy < 5000; courtesy++) writer.PostCourtesy(message);
        for (var nonce = 0; nonce < 5000; nonce++) writer.PostReauthentication("nonce");
        var owed = Enumerable.Range(0, 20_000).TakeWhile(_ => writer.Post(message)).Count();

        Assert.That(owed, Is.EqualTo(SessionWriter.MaxQueuedControl - SessionWriter.MaxQueuedCourtesies));
    }

    [Test]
    public async Task Log_HoldsNeitherSecretNorTokens()
    {
        var log = new ListLog();
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(logger: log);
        var peer = await under.OpenAsync(relay, "web.home.test");
        await peer.SendTextAsync("""{"type":"reauth_challenge","nonce":"n"}""");
        var third = await peer.NextTextAsync();
        await peer.CloseAsync(WebSocketCloseStatus.PolicyViolation, "token signature is invalid");
        await relay.AcceptAsync();
        await under.UntilAsync(status => status.Reconnects == 1);
        await under.StopAsync();

        var text = string.Join('\n', log.Lines);

        Assert.That(log.Lines, Has.Some.Contain("Tunnel is online").And.Some.Contain("Tunnel was lost"));
        Assert.That(text, Does.Not.Contain(TunnelUnderTest.Secret));
        foreach (var token in new[] { peer.HandshakeToken, peer.AttestedToken, third.Text })
            Assert.That(token.Split('.'), Has.All.Matches<string>(part => !text.Contains(part!, StringComparison.Ordinal)));
        Assert.That($"{under.Tunnel.Status}", Does.Not.Contain(TunnelUnderTest.Secret));
    }

    [Test]
    public void AddTunnel_JoinsSourceTunnelAndLoop()
    {
        using var provider = TestServices.New().AddTunnel().BuildServiceProvider();

        Assert.That(provider.GetRequiredService<ITunnelStreamSource>(), Is.SameAs(provider.GetRequiredService<RelayTunnel>()));
        Assert.That(provider.GetServices<IHostedService>(), Has.Some.InstanceOf<RelayTunnelLoop>());
        Assert.That(provider.GetRequiredService<RelayTunnel>().Status.State, Is.EqualTo(TunnelState.Disabled));
    }

    [Test]
    public void Nx150_AddTunnel_OptionsOutOfRange_AreRejected()
    {
        using var provider = TestServices.New().AddTunnel()
            .Configure<TunnelOptions>(options => { options.MaxStreams = 0; options.DialTimeout = TimeSpan.Zero; options.Name = ""; })
            .BuildServiceProvider();

        var problem = Assert.Throws<OptionsValidationException>(() => _ = provider.GetRequiredService<IOptions<TunnelOptions>>().Value);

        Assert.That(problem!.Failures.Count(), Is.EqualTo(3));
    }

    [TestCase("Production", false)]
    [TestCase("Development", true)]
    public void AddTunnel_PlainWebSockets_AreForDevelopmentOnly(string environment, bool allowed)
    {
        using var provider = TestServices.New().AddTunnel()
            .AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = environment })
            .Configure<TunnelOptions>(options => options.AllowInsecureLoopback = true)
            .BuildServiceProvider();

        Assert.That(() => provider.GetRequiredService<IOptions<TunnelOptions>>().Value.AllowInsecureLoopback,
            allowed ? Is.True : Throws.InstanceOf<OptionsValidationException>());
    }

    private sealed class HostingEnvironment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "";

        public string ApplicationName { get; set; } = "tests";

        public string ContentRootPath { get; set; } = "";

        public Microsoft.Extensions.FileProviders.IFileProvider ContentRootFileProvider { get; set; } =
            new Microsoft.Extensions.FileProviders.NullFileProvider();
    }

    private sealed class ListLog : ILogger<RelayTunnel>
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
