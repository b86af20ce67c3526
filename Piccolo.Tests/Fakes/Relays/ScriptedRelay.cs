using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Piccolo.Tests.Fakes.Relays;

/// <summary>A relay's hub on a real socket that does what the test tells it, frame by frame.</summary>
internal sealed class ScriptedRelay : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly List<RelayPeer> _all = [];
    private readonly Channel<RelayPeer> _peers = Channel.CreateUnbounded<RelayPeer>();

    private ScriptedRelay(X509Certificate2? certificate, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Map("/connect", ServeAsync);
        _app.Map("/status/{code:int}", (int code) => Microsoft.AspNetCore.Http.Results.StatusCode(code));
    }

    /// <summary>The hub's address, as an owner enters it: without a path.</summary>
    public Uri Endpoint { get; private set; } = null!;

    public static async Task<ScriptedRelay> StartAsync(X509Certificate2? certificate = null, int port = 0)
    {
        var relay = new ScriptedRelay(certificate, port);
        await relay._app.StartAsync();
        var address = new Uri(relay._app.Urls.Single());
        relay.Endpoint = new Uri($"{(certificate is null ? "ws" : "wss")}://{(certificate is null ? "127.0.0.1" : "localhost")}:{address.Port}");
        return relay;
    }

    /// <summary>The next connection, upgraded, nothing read yet.</summary>
    public async Task<RelayPeer> NextAsync() => await _peers.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>The next connection, authenticated and acknowledged.</summary>
    public async Task<RelayPeer> AcceptAsync()
    {
        var peer = await NextAsync();
        await peer.HandshakeAsync();
        return peer;
    }

    /// <summary>Whether a connection came that nobody has taken.</summary>
    public bool HasWaiting => _peers.Reader.TryPeek(out _);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Asked for: no grace.
        }
        await _app.DisposeAsync();
        foreach (var peer in _all) peer.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var peer = new RelayPeer(socket, context);
        lock (_all) _all.Add(peer);
        _peers.Writer.TryWrite(peer);
        await peer.RunAsync();
    }
}
