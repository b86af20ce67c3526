using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Jobs;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Core.Volumes;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Core.Containers;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Networks;

namespace Piccolo.Tests.Core.Apps;

/// <summary>Apps on a real engine, joined as the daemon joins them.</summary>
internal abstract class AppsOnPodmanFixture
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    protected const string Web = $$"""
        name: web
        image: {{SampleImage.Name}}
        environment: { GREETING: hello }
        resources: { limits: { memory: 256MB, cpu: 1.5 } }
        listeners:
          - { name: web, guest_port: 8080, protocol: http }
          - { name: raw, guest_port: 8443, flow: tls }
        """;

    private protected readonly DataKey _dataKey = DataKey.Generate();
    private protected PodmanServer _podman;
    private protected PortLease _ports;
    private protected DirectoryInfo _folder;
    private protected ServiceProvider _services;
    private protected HttpClient _http;
    private protected AppNetworks? _networks;
    private protected NftablesOf? _nft;

    /// <summary>The networks of the test's own in which the engine is to live; null = this machine's.</summary>
    private protected virtual Task<AppNetworks?> NewNetworksAsync() => Task.FromResult<AppNetworks?>(null);

    [OneTimeSetUp]
    public async Task StartPodman()
    {
        var began = TimeProvider.System.GetTimestamp();
        _ports = PortLease.Take();
        _networks = await NewNetworksAsync().WaitAsync(Patience);
        _podman = await PodmanServer.StartAsync(_networks?.Box).WaitAsync(Patience);
        TestContext.Progress.WriteLine($"podman ready after {Seconds(began)} s");
        began = TimeProvider.System.GetTimestamp();
        await SampleImage.BuildAsync().WaitAsync(Patience);
        TestContext.Progress.WriteLine($"image tar built or found after {Seconds(began)} s");
        began = TimeProvider.System.GetTimestamp();
        await SampleImage.ImportAsync(_podman).WaitAsync(Patience);
        TestContext.Progress.WriteLine($"image imported after {Seconds(began)} s");
    }

    [OneTimeTearDown]
    public async Task StopPodman()
    {
        _dataKey.Dispose();
        if (_podman is not null) await _podman.DisposeAsync();
        _ports?.Dispose();
        if (_networks is not null) await _networks.DisposeAsync();
    }

    [SetUp]
    public async Task StartApps()
    {
        _folder = Directory.CreateTempSubdirectory("piccolo-apps-");
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = _networks is null ? null : _networks.ConnectAsync });
        var services = TestServices.New();
        services.AddSingleton(new StatePaths(_folder.FullName)).AddSingleton(TimeProvider.System).AddSingleton<HealthTracker>().AddSingleton<SealedStore>()
            .AddSingleton<LeadershipRegistry>();
        services.AddLogging();
        services.Configure<ContainerOptions>(options => options.Socket = _podman.SocketPath);
        services.Configure<ListenerPortOptions>(options => (options.GuardPorts, options.PublicPorts) = (_ports.GuardPorts, _ports.PublicPorts));
        if (_networks is not null)
        {
            _nft = new NftablesOf(_networks.Box);
            services.AddSingleton(provider => TestFirewall.Of(provider.GetRequiredService<InstanceId>(), new RecordedLog(), _networks.Box, _nft));
        }
        services.AddContainers().AddListeners().AddVolumes().AddJobs().AddApps();
        _services = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        foreach (var loop in _services.GetServices<IHostedService>()) await loop.StartAsync(CancellationToken.None);
        Store.Open(_dataKey);
    }

    [TearDown]
    public async Task StopApps()
    {
        _http.Dispose();
        foreach (var loop in _services.GetServices<IHostedService>()) await loop.StopAsync(CancellationToken.None).WaitAsync(Patience);
        await _services.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    protected SealedStore Store => _services.GetRequiredService<SealedStore>();
    protected AppCatalog Catalog => _services.GetRequiredService<AppCatalog>();
    protected AppStatusBoard Board => _services.GetRequiredService<AppStatusBoard>();

    protected int Install(string yaml)
    {
        var parsed = AppManifestParser.Parse(yaml);
        Assert.That(parsed.Errors, Is.Empty);
        var outcome = Catalog.Install(parsed.Manifest!, yaml, _ => _ => null);
        Assert.That(outcome, Is.InstanceOf<InstallOutcome.Created>().Or.InstanceOf<InstallOutcome.Updated>());
        return Catalog.Find("web")!.Listeners.First().GuardPort;
    }

    protected Task UntilAsync(AppState state, AppReason reason = AppReason.None) => AppRig.UntilAsync(
        Board.Changed, () => Board.Find("web") is { } status && status.State == state && status.Reason == reason,
        () => $"{Board.Find("web")}; podman: {_podman.Log}");

    protected Task<string> GetAsync(int port, string path) => GuardPort.GetAsync(_http, $"http://127.0.0.1:{port}/{path}");

    protected static string Seconds(long began) =>
        TimeProvider.System.GetElapsedTime(began).TotalSeconds.ToString("0.00", System.Globalization.CultureInfo.InvariantCulture);
}
