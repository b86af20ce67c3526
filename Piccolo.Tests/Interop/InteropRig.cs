using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Interop;

/// <summary>The real front door with one app behind it, for programs that are not ours.</summary>
internal sealed class InteropRig : IAsyncDisposable
{
    public const string Host = "web.home.test";

    private readonly TempFolder _folder = new();

    private InteropRig(FrontDoor door, FakeApp app) => (Door, App) = (door, app);

    public FrontDoor Door { get; }

    public FakeApp App { get; }

    public int Port => Door.HttpsPort;

    /// <summary>The test's root certificate in PEM.</summary>
    public string RootFile => _folder.File("root.pem");

    /// <summary>What pages have reported to the app.</summary>
    public System.Threading.Channels.Channel<string> Reports { get; } = System.Threading.Channels.Channel.CreateUnbounded<string>();

    public string File(string name) => _folder.File(name);

    public string Url(string path = "/") => string.Create(CultureInfo.InvariantCulture, $"https://{Host}:{Port}{path}");

    public static async Task<InteropRig> StartAsync()
    {
        InteropRig? rig = null;
        var app = await FakeApp.StartAsync(c => rig!.AnswerAsync(c));
        rig = new InteropRig(await FrontDoor.StartAsync(), app);
        await System.IO.File.WriteAllTextAsync(rig.RootFile, rig.Door.Ca.Root.ExportCertificatePem());
        rig.Door.PublishApp("web", app.Port, configure: d => d with { HstsMaxAge = 31_536_000 });
        return rig;
    }

    /// <summary>Publishes a raw listener whose app says <c>220 raw</c> to everybody and then ends.</summary>
    public TcpListener PublishRaw(string name, bool withCertificate = true)
    {
        var upstream = new TcpListener(IPAddress.Loopback, 0);
        upstream.Start();
        Door.PublishApp(name, ((IPEndPoint)upstream.LocalEndpoint).Port, ListenerFlow.Tcp, ListenerProtocol.Raw, withCertificate);
        _ = GreetAsync(upstream);
        return upstream;
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Door.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task GreetAsync(TcpListener upstream)
    {
        try
        {
            while (true)
            {
                using var client = await upstream.AcceptSocketAsync();
                await client.SendAsync("220 raw\n"u8.ToArray());
                client.Shutdown(SocketShutdown.Send);
                while (await client.ReceiveAsync(new byte[1024]) > 0) { }
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            await EchoAsync(context);
            return;
        }
        switch (context.Request.Path.Value)
        {
            case "/page":
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync(BrowserPage.Html);
                break;
            case "/events":
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync("data: one\n\ndata: two\n\n");
                await context.Response.Body.FlushAsync();
                // The page closes it after two.
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case "/report":
                using (var reader = new StreamReader(context.Request.Body)) Reports.Writer.TryWrite(await reader.ReadToEndAsync());
                break;
            case "/length":
                await context.Request.Body.CopyToAsync(Stream.Null);
                await context.Response.WriteAsync($"{context.Request.ContentLength}");
                break;
            default:
                // Its own affair, as it is every app's: the front door adds none and takes none away.
                context.Response.Headers.XContentTypeOptions = "nosniff";
                context.Response.Headers.XFrameOptions = "DENY";
                context.Response.Headers.ContentSecurityPolicy = "default-src 'self'";
                context.Response.Headers["Referrer-Policy"] = "no-referrer";
                await context.Response.WriteAsync($"hello from {context.Request.Host} for {context.Request.Headers["X-Forwarded-For"]}\n");
                break;
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } message)
            await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
}
