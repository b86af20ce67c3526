using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Api.Ingress.Composition;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// The appliance's front door as a process of its own, its tables filled from the command line instead of by containers
/// and a CA. Started by the benchmark only.
/// </summary>
internal static class DoorHost
{
    public const string Command = "bench-door";

    /// <param name="args">HTTPS port, the apps' guard ports in clear text, in TLS and for bodies, certificate, key, state folder, number of names.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        TlsSettings.Apply();
        int Number(int index) => int.Parse(args[index], CultureInfo.InvariantCulture);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Piccolo:Ingress:HttpPort"] = "0",
            ["Piccolo:Ingress:HttpsPort"] = args[0],
            ["Piccolo:Ingress:ListenAddress"] = "127.0.0.1",
        });
        builder.Services.AddSingleton<ITunnelStreamSource, NoTunnel>();
        builder.Services.AddSingleton(new StatePaths(args[6]));
        builder.Services.AddSingleton(
            s => new ClockFloor(s.GetRequiredService<StatePaths>(), DateTimeOffset.UnixEpoch, TimeProvider.System, NullLogger<ClockFloor>.Instance));
        builder.Services.AddIngress();
        var app = builder.Build();
        app.UseIngress();
        app.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        List<Route> routes = [App(BenchNames.Terminated, Number(1), ListenerFlow.Tcp), App(BenchNames.PassedThrough, Number(2), ListenerFlow.Tls),
            App(BenchNames.Bodies, Number(3), ListenerFlow.Tcp)];
        routes.AddRange(BenchNames.Others(Number(7) - routes.Count).Select(n => App(n, Number(1), ListenerFlow.Tcp)));
        app.Services.GetRequiredService<RouteTableHolder>().Replace(new RouteTable(routes));
        app.Services.GetRequiredService<ServerCertificateTable>()
            .Replace([new ServerCertificateBundle(X509Certificate2.CreateFromPemFile(args[4], args[5]), [], routes.Select(r => r.Host))]);
        await app.RunAsync();
        return 0;
    }

    private static Route.App App(string host, int port, ListenerFlow flow) => new(
        DomainName.Parse(host), new PublishedListener("bench",
            new ListenerDefinition(host.Split('.')[0], 80, flow, ListenerProtocol.Http, ListenerDefinition.DefaultRemotePorts), port, 0));

    private sealed class NoTunnel : ITunnelStreamSource
    {
        public async ValueTask<ITunnelStream?> AcceptAsync(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return null;
        }
    }
}

/// <summary>The names under which all contenders answer.</summary>
internal static class BenchNames
{
    public const string Terminated = "web.home.test";
    public const string PassedThrough = "own.home.test";
    public const string Bodies = "put.home.test";

    public static IEnumerable<string> Others(int count) =>
        Enumerable.Range(0, Math.Max(count, 0)).Select(i => string.Create(CultureInfo.InvariantCulture, $"listener-{i:00000}.home.test"));
}
