using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Api.Ingress.Composition;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>The real front door on free ports, with what other features would fill in the test's hands.</summary>
internal sealed class FrontDoor : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public const string PortalBody = "portal";

    private readonly WebApplication _app;
    private readonly List<Route> _routes = [];
    private readonly List<ServerCertificateBundle> _bundles = [];

    private FrontDoor(WebApplication app) => _app = app;

    public TestCa Ca { get; } = new();

    public FakeTunnelStreamSource Tunnel => (FakeTunnelStreamSource)_app.Services.GetRequiredService<ITunnelStreamSource>();

    public ListenerTable Listeners => _app.Services.GetRequiredService<ListenerTable>();

    public LanPortStates LanPorts => _app.Services.GetRequiredService<LanPortStates>();

    public Http01Challenges Challenges => _app.Services.GetRequiredService<Http01Challenges>();

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public int HttpPort { get; private set; }

    public int HttpsPort { get; private set; }

    public static async Task<FrontDoor> StartAsync(Dictionary<string, string?>? settings = null, TimeProvider? time = null, ILoggerProvider? log = null,
        int loops = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (log is not null) builder.Logging.AddProvider(log);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Piccolo:Ingress:HttpPort"] = "-1",
            ["Piccolo:Ingress:HttpsPort"] = "-1",
            ["Piccolo:Ingress:ListenAddress"] = "loopback",
        });
        builder.Configuration.AddInMemoryCollection((settings ?? [])
            .Select(s => KeyValuePair.Create(s.Key.StartsWith("Piccolo:", StringComparison.Ordinal) ? s.Key : $"Piccolo:Ingress:{s.Key}", s.Value)));
        if (loops > 0) builder.Services.AddSingleton(s => new SocketLoops(NullLogger<SocketLoops>.Instance, loops));
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<ITunnelStreamSource, FakeTunnelStreamSource>();
        var folder = new TempFolder();
        builder.Services.AddSingleton(_ => folder);
        builder.Services.AddSingleton(new StatePaths(folder.Path));
        builder.Services.AddSingleton(s => new ClockFloor(
            s.GetRequiredService<StatePaths>(), DateTimeOffset.UnixEpoch, s.GetRequiredService<TimeProvider>(), NullLogger<ClockFloor>.Instance));
        builder.Services.AddIngress();
        var app = builder.Build();
        app.UseIngress();
        app.Run(context => context.Response.WriteAsync(PortalBody));
        // Made first, so that it goes last.
        app.Services.GetRequiredService<TempFolder>();
        await app.StartAsync().WaitAsync(Patience);

        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var own = addresses.Select(a => new Uri(a.Replace("[::]", "localhost", StringComparison.Ordinal))).Where(a => a.Port > 443).ToList();
        return new FrontDoor(app)
        {
            HttpPort = own.FirstOrDefault(a => a.Scheme == "http")?.Port ?? 0,
            HttpsPort = own.FirstOrDefault(a => a.Scheme == "https")?.Port ?? 0,
        };
    }

    public static PublishedListener Listener(
        string name, int guardPort, ListenerFlow flow = ListenerFlow.Tcp, ListenerProtocol protocol = ListenerProtocol.Http, params int[] remotePorts) =>
        new("sample", new ListenerDefinition(name, 8080, flow, protocol, remotePorts.Length == 0 ? ListenerDefinition.DefaultRemotePorts : [.. remotePorts]),
            guardPort, 0);

    public void Publish(Route route, bool withCertificate = true)
    {
        _routes.RemoveAll(r => r.Host == route.Host);
        _routes.Add(route);
        _app.Services.GetRequiredService<RouteTableHolder>().Replace(new RouteTable(_routes));
        if (withCertificate) AddCertificate(route.Host.Value);
    }

    /// <summary>Publishes <c>&lt;name&gt;.home.test</c>.</summary>
    public PublishedListener PublishApp(
        string name, int guardPort, ListenerFlow flow = ListenerFlow.Tcp, ListenerProtocol protocol = ListenerProtocol.Http, bool withCertificate = true,
        Func<ListenerDefinition, ListenerDefinition>? configure = null)
    {
        var listener = Listener(name, guardPort, flow, protocol);
        if (configure is not null) listener = listener with { Definition = configure(listener.Definition) };
        Publish(new Route.App(DomainName.Parse($"{name}.home.test"), listener), withCertificate);
        return listener;
    }

    public void PublishPortal(bool withCertificate = true) => Publish(new Route.Portal(DomainName.Parse("portal.home.test")), withCertificate);

    public void AddCertificate(params string[] names)
    {
        _bundles.Add(Ca.IssueBundle(names));
        _app.Services.GetRequiredService<ServerCertificateTable>().Replace(_bundles);
    }

    public void ReplaceCertificate(string name)
    {
        _bundles.RemoveAll(b => b.Names.Any(n => n.Value == name));
        AddCertificate(name);
    }

    /// <summary>Puts listeners on the LAN and waits until their ports answer.</summary>
    public async Task<ImmutableArray<int>> OpenLanPortsAsync(params PublishedListener[] listeners)
    {
        Listeners.Replace(listeners);
        await LanPortsAsync(states => listeners.All(l => states.GetValueOrDefault(l.Name)?.Binding == LanPortBinding.Listening));
        return [.. listeners.Select(l => LanPorts.Find(l.Name)!.Port)];
    }

    public async Task LanPortsAsync(Func<ImmutableSortedDictionary<string, LanPortState>, bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var seen = LanPorts.Changed.Version;
            if (condition(LanPorts.Current)) return;
            await LanPorts.Changed.WaitAsync(seen, patience.Token);
        }
    }

    /// <summary>A client whose every connection goes to one port of the front door, whatever host it asks for.</summary>
    public HttpClient ClientFor(int port) => ClientOver(async cancel => new NetworkStream(await ConnectAsync(port, cancel), ownsSocket: true));

    public HttpClient ClientOver(Func<CancellationToken, ValueTask<Stream>> connect) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectCallback = async (_, cancel) => await connect(cancel),
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustingRoot() },
    })
    { Timeout = Patience };

    public async Task<SslStream> ConnectTlsAsync(string host, int? port = null, params SslApplicationProtocol[] alpn)
    {
        var tls = new SslStream(new NetworkStream(await ConnectAsync(port ?? HttpsPort), ownsSocket: true));
        await HandshakeAsync(tls, host, SslProtocols.None, alpn);
        return tls;
    }

    /// <param name="version"><see cref="SslProtocols.None"/>: the best that both know.</param>
    public Task HandshakeAsync(
        SslStream tls, string host, SslProtocols version = SslProtocols.None, params SslApplicationProtocol[] alpn) =>
        tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = version,
            ApplicationProtocols = [.. alpn],
            CertificateChainPolicy = TrustingRoot(),
        }).WaitAsync(Patience);

    public static async Task<Socket> ConnectAsync(int port, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return socket;
    }

    public async Task StopAsync() => await _app.StopAsync().WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        // On another thread: a disposal that blocks fails the test instead of stopping the run.
        await Task.Run(() => _app.DisposeAsync().AsTask()).WaitAsync(Patience);
        Ca.Dispose();
    }

    /// <summary>Only the root is trusted: a chain without its intermediate fails.</summary>
    private X509ChainPolicy TrustingRoot() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Ca.Root },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };
}
