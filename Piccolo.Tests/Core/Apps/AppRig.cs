using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Apps;

/// <summary>A real store in a temporary folder, a clock in the test's hand and a recording engine, joined as the daemon joins them.</summary>
internal sealed class AppRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("piccolo-apps-");
    private readonly DataKey _dataKey = DataKey.Generate();
    private AppSupervisorLoop? _loop;
    private int _revision;
    private AppSupervisor? _supervisor;

    public AppRig(Role? beforeElection = null)
    {
        Paths = new StatePaths(_folder.FullName);
        Health = new HealthTracker(Time, NullLogger<HealthTracker>.Instance);
        Store = new SealedStore(Paths, Health, NullLogger<SealedStore>.Instance);
        Catalog = new AppCatalog(Store, Listeners, new ListenerPorts(new PortAllocator(new PortRange(15000, 15099), p => !BusyPorts.ContainsKey(p)),
            new PortAllocator(new PortRange(35000, 35099), _ => true)), Time);
        Board = new AppStatusBoard(Time);
        Leadership = new LeadershipRegistry(NullLogger<LeadershipRegistry>.Instance, beforeElection);
        Instance = InstanceId.ReadOrCreate(Paths, out _);
        Store.Open(_dataKey);
    }

    public StatePaths Paths { get; }
    public SteppedTime Time { get; } = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    public HealthTracker Health { get; }
    public SealedStore Store { get; }
    public ListenerTable Listeners { get; } = new();
    public AppCatalog Catalog { get; }
    public AppStatusBoard Board { get; }
    public LeadershipRegistry Leadership { get; }
    public InstanceId Instance { get; }
    public RecordingContainerRuntime Runtime { get; } = new();
    public RecordingVolumes Volumes { get; } = new();
    public AppHolds Holds { get; } = new();
    public RecordedLog Log { get; } = new();
    public ConcurrentDictionary<int, bool> BusyPorts { get; } = [];

    /// <summary>What pauses between attempts vary by; at 0.5 they are what they are named.</summary>
    public double Random { get; init; } = 0.5;

    public void Unlock() => Store.Open(_dataKey);

    public void Lock() => Store.Close();

    /// <summary>Whatever waits for its next attempt is due, and the loop looks, also if it has not set its timer yet.</summary>
    public void PassAMinute()
    {
        Time.Advance(TimeSpan.FromMinutes(1));
        Runtime.Changed.Raise();
    }

    public async Task StartAsync()
    {
        _supervisor = new AppSupervisor(Store, Catalog, Leadership, Runtime, Volumes, new LanListenerUrls(), Instance, Board, Holds, Health,
            Options.Create(new ContainerOptions()), Time,
            () => Random, Log.For<AppSupervisor>());
        _loop = new AppSupervisorLoop(_supervisor, Time, Log.For<AppSupervisorLoop>());
        await _loop.StartAsync(CancellationToken.None);
    }

    public async Task StopAsync()
    {
        if (_loop is null) return;
        await _loop.StopAsync(CancellationToken.None).WaitAsync(Patience);
        _loop.Dispose();
        _supervisor!.Dispose();
        _loop = null;
    }

    public static string Manifest(string app, string image = "localhost/sample:latest", params string[] listeners) =>
        $"name: {app}\nimage: {image}\nlisteners:\n"
        + string.Concat((listeners.Length == 0 ? [app] : listeners).Select((l, i) => $"  - {{ name: {l}, guest_port: {8080 + i}, protocol: http }}\n"));

    public InstallOutcome Install(string yaml, params string[] reserved)
    {
        var parsed = AppManifestParser.Parse(yaml);
        Assert.That(parsed.Errors, Is.Empty);
        return Catalog.Install(parsed.Manifest!, yaml, _ => label => reserved.Contains(label) ? new NameRefusal("Taken.", IsInvalid: false) : null);
    }

    /// <summary>Installs what no text says: the manifest is its own revision.</summary>
    public AppRecord Install(AppManifest manifest)
    {
        var outcome = Catalog.Install(manifest, $"revision {++_revision}", _ => _ => null);
        Assert.That(outcome, Is.InstanceOf<InstallOutcome.Created>().Or.InstanceOf<InstallOutcome.Updated>());
        return Catalog.Find(manifest.Name)!;
    }

    public void Follow(params string[] apps) => Leadership.Apply(apps.ToDictionary(ResourceId.App, _ => Role.FollowerOf(null)));

    /// <summary>Waits until the app is seen in that state for that reason.</summary>
    public async Task<AppStatus> UntilAsync(string app, AppState state, AppReason reason = AppReason.None)
    {
        await UntilAsync(Board.Changed, () => Board.Find(app) is { } status && status.State == state && status.Reason == reason,
            () => $"{app} is {Board.Find(app)}, wanted {state} {reason}; calls: {string.Join(", ", Runtime.Calls)}; log: {string.Join('\n', Log.Lines)}");
        return Board.Find(app)!;
    }

    /// <summary>Waits until the app is seen in that state, and as the test wants it otherwise.</summary>
    public async Task<AppStatus> UntilAsync(string app, AppState state, Func<AppStatus, bool> isSo)
    {
        await UntilAsync(Board.Changed, () => Board.Find(app) is { } status && status.State == state && isSo(status),
            () => $"{app} is {Board.Find(app)}, wanted {state}; calls: {string.Join(", ", Runtime.Calls)}; log: {string.Join('\n', Log.Lines)}");
        return Board.Find(app)!;
    }

    public static async Task UntilAsync(ChangeSignal signal, Func<bool> condition, Func<string> otherwise)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var seen = signal.Version;
            if (condition()) return;
            try
            {
                await signal.WaitAsync(seen, patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail(otherwise());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Store.Dispose();
        _dataKey.Dispose();
        _folder.Delete(recursive: true);
    }
}

/// <summary>Every log line of a test, with its event id.</summary>
internal sealed class RecordedLog
{
    private readonly ConcurrentQueue<(int Id, string Line)> _entries = [];

    public ChangeSignal Written { get; } = new();

    public IEnumerable<string> Lines => _entries.Select(e => $"{e.Id}: {e.Line}");

    public IReadOnlyList<string> Of(int id) => [.. _entries.Where(e => e.Id == id).Select(e => e.Line)];

    public ILogger<T> For<T>() => new Logger<T>(this);

    private sealed class Logger<T>(RecordedLog log) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            log._entries.Enqueue((eventId.Id, formatter(state, exception) + exception));
            log.Written.Raise();
        }
    }
}
