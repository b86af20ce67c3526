using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Core.Apps;
using Piccolo.Tests.Fakes.Networks;

namespace Piccolo.Tests.Core.Containers;

/// <summary>The runtime on a real engine with the sample image; after each test all containers go.</summary>
internal abstract class PodmanFixture
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    protected static readonly ImmutableSortedDictionary<string, string> NoVolumes = ImmutableSortedDictionary<string, string>.Empty;

    private protected readonly InstanceId _instance = InstanceId.NewRandom();
    private protected readonly RecordedLog _log = new();
    private protected HttpClient _http;
    private protected PodmanServer _podman;
    private protected PodmanRuntime _runtime;
    private protected AppNetworks? _networks;

    /// <summary>The networks of the test's own in which the engine is to live; null = this machine's.</summary>
    private protected virtual Task<AppNetworks?> NewNetworksAsync() => Task.FromResult<AppNetworks?>(null);

    [OneTimeSetUp]
    public async Task StartPodman()
    {
        _networks = await NewNetworksAsync().WaitAsync(Patience);
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = _networks is null ? null : _networks.ConnectAsync });
        _podman = await PodmanServer.StartAsync(_networks?.Box).WaitAsync(Patience);
        await SampleImage.ImportAsync(_podman).WaitAsync(Patience);
        _runtime = NewRuntime();
    }

    [OneTimeTearDown]
    public async Task StopPodman()
    {
        _http?.Dispose();
        _runtime?.Dispose();
        if (_podman is not null) await _podman.DisposeAsync();
        if (_networks is not null) await _networks.DisposeAsync();
    }

    [TearDown]
    public async Task RemoveAll()
    {
        foreach (var app in (await _runtime.ListAsync(default)).Value.Select(c => c.App).Distinct())
            await _runtime.RemoveWithVolumesAsync(app, default).WaitAsync(Patience);
    }

    private protected PodmanRuntime NewRuntime() =>
        new(_instance, Options.Create(new ContainerOptions { Socket = _podman.SocketPath }), TestFirewall.Of(_instance, _log, _networks?.Box),
            TimeProvider.System, _log.For<PodmanRuntime>());

    /// <param name="port">Of 127.0.0.1, where the service answers.</param>
    private protected ContainerSpec Spec(string app, string service, int? port = null) => new(
        _instance, app, service, ImageReference.Parse(SampleImage.Name), ImmutableSortedDictionary<string, string>.Empty,
        port is { } guard ? [new PortPublication(8080, guard)] : [], 256L << 20, 1_000_000_000);

    private protected async Task<string> StartAsync(ContainerSpec spec)
    {
        var made = await _runtime.CreateAsync(spec, NoVolumes, default).WaitAsync(Patience);
        Assert.That(made.Fault, Is.Null, () => string.Join('\n', _log.Lines));
        Assert.That(await _runtime.StartAsync(made.Value!, default).WaitAsync(Patience), Is.Null, () => string.Join('\n', _log.Lines));
        return made.Value!;
    }

    /// <summary>Starts a service that answers at a port.</summary>
    private protected async Task<(string Id, int Port)> ServeAsync(ContainerSpec spec)
    {
        var port = LoopbackPorts.Free(1)[0];
        var id = await StartAsync(spec with { Ports = [new PortPublication(8080, port)] });
        await GetAsync(port, "healthz");
        return (id, port);
    }

    protected Task<string> GetAsync(int port, string path) => GuardPort.GetAsync(_http, $"http://127.0.0.1:{port}/{path}");

    /// <summary>A file as the app in the container sees it.</summary>
    protected Task<string> FileAsync(int port, string path) => GetAsync(port, $"file?path={Uri.EscapeDataString(path)}");

    /// <summary>What writing a file in the container came to: "ok", or the exception.</summary>
    protected async Task<string> WriteAsync(int port, string path)
    {
        using var answer = await _http.PostAsync(new Uri($"http://127.0.0.1:{port}/write?path={Uri.EscapeDataString(path)}"), null);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }
}
