using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>An app behind its guard port: real Kestrel, and the test sees every request that arrives.</summary>
internal sealed class FakeApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeApp(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

    /// <summary>The headers of each request, as they arrived.</summary>
    public Channel<IHeaderDictionary> Requests { get; } = Channel.CreateUnbounded<IHeaderDictionary>();

    /// <param name="port">The guard port an installed app was given; 0 for any.</param>
    public static async Task<FakeApp> StartAsync(RequestDelegate handle, HttpProtocols protocols = HttpProtocols.Http1, X509Certificate2? certificate = null,
        int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = protocols;
            if (certificate is not null) listen.UseHttps(certificate);
            kestrel.Limits.MaxRequestBodySize = null;
        }));
        var app = builder.Build();
        var fake = new FakeApp(app);
        app.UseWebSockets();
        app.Run(context =>
        {
            fake.Requests.Writer.TryWrite(new HeaderDictionary(context.Request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase)));
            return handle(context);
        });
        await app.StartAsync().WaitAsync(FrontDoor.Patience);
        return fake;
    }

    public async Task<IHeaderDictionary> NextRequestAsync() => await Requests.Reader.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);

    public async ValueTask DisposeAsync() => await Task.Run(() => _app.DisposeAsync().AsTask()).WaitAsync(FrontDoor.Patience);
}
