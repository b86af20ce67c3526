using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Api.Ingress;
using Piccolo.Core.Certificates;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// The appliance's front door as a process of its own, its tables filled from the command line instead of by containers
/// and a CA. Started by the benchmark only.
/// </summary>
internal static class DoorHost
{
    public const string Command = "bench-door";

    /// <param name="args">HTTPS port, the app's guard ports in clear text and in TLS, certificate, key, state folder, number of names.</param>
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
        builder.Services.AddSingleton(new StatePaths(args[5]));
        builder.Services.AddSingleton(s => new ClockFloor(s.GetRequiredService<StatePaths>(), DateTimeOffset.UnixEpoch, TimeProvider.System, NullLogger<ClockFloor>.Instance));
        builder.Services.AddIngress();
        var app = builder.Build();
        app.UseIngress();
        app.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        Fill(app.Services, Number(1), Number(2), X509Certificate2.CreateFromPemFile(args[3], args[4]), Number(6));
        await app.RunAsync();
        return 0;
    }

    private static void Fill(IServiceProvider services, int plainPort, int tlsPort, X509Certificate2 certificate, int names)
    {
        List<Route> routes = [App(BenchNames.Terminated, plainPort, ListenerFlow.Tcp), App(BenchNames.PassedThrough, tlsPort, ListenerFlow.Tls)];
        routes.AddRange(BenchNames.Others(names - routes.Count).Select(n => App(n, plainPort, ListenerFlow.Tcp)));
        services.GetRequiredService<RouteTableHolder>().Replace(new RouteTable(routes));
        services.GetRequiredService<ServerCertificateTable>().Replace([new ServerCertificateBundle(certificate, [], routes.Select(r => r.Host))]);
    }

    internal static Route.App App(string host, int port, ListenerFlow flow) => new(
        DomainName.Parse(host), new PublishedListener("bench", new ListenerDefinition(host.Split('.')[0], 80, flow, ListenerProtocol.Http, ListenerDefinition.DefaultRemotePorts), port, 0));

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

    public static IEnumerable<string> Others(int count) => Enumerable.Range(0, Math.Max(count, 0)).Select(i => string.Create(CultureInfo.InvariantCulture, $"listener-{i:00000}.home.test"));
}
