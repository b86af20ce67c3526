using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;

namespace Piccolo.Bench;

/// <summary>Answers the CA on one port and shows certificates on another, as the appliance's front door does.</summary>
internal sealed class AcmeBenchDoor : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AcmeBenchDoor(WebApplication app) => _app = app;

    public Http01Challenges Challenges { get; } = new();

    public ServerCertificateTable Table { get; } = new();

    public int HttpPort => new Uri(_app.Urls.First(u => u.StartsWith("http:", StringComparison.Ordinal))).Port;

    private int HttpsPort => new Uri(_app.Urls.First(u => u.StartsWith("https:", StringComparison.Ordinal))).Port;

    public static async Task<AcmeBenchDoor> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        AcmeBenchDoor? door = null;
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, 0);
            k.Listen(IPAddress.Loopback, 0, o => o.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = c => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = door!.Table.Find(c.ClientHelloInfo.ServerName)!.Context,
                }),
            }));
        });
        var app = builder.Build();
        door = new AcmeBenchDoor(app);
        app.MapGet(
            Http01Challenges.PathPrefix + "{token}",
            (HttpContext context, string token) => door.Challenges.Find(context.Request.Host.Host, token) is { } answer ? Results.Text(answer)
            : Results.NotFound());
        await app.StartAsync();
        return door;
    }

    /// <summary>Handshakes for names whose certificates are there, one after the other, until cancelled.</summary>
    /// <returns>How many were done, and how many of them showed another certificate than the one in the table, or failed.</returns>
    public async Task<(int Shown, int Failed)> ShakeHandsAsync(CancellationToken ended)
    {
        var (shown, failed) = (0, 0);
        while (!ended.IsCancellationRequested)
        {
            var seen = Table.Changed.Version;
            // The first four are the first to be finished.
            var name = $"n{shown % 4}.home.test";
            if (Table.Find(name) is not { } bundle)
            {
                await Table.Changed.WaitAsync(seen, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }
            shown++;
            if (!await ShowsAsync(name, bundle)) failed++;
            // Ten a second: visitors, not a load test.
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return (shown, failed);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<bool> ShowsAsync(string name, ServerCertificateBundle bundle)
    {
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, HttpsPort);
            await using var tls = new SslStream(socket.GetStream());
            var isOurs = false;
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = name,
                RemoteCertificateValidationCallback = (_, sent, _, _) => isOurs = sent is not null
                && sent.GetRawCertData().AsSpan().SequenceEqual(bundle.Leaf.RawData),
            });
            return isOurs;
        }
        catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }
}
