using System.Collections.Concurrent;
using System.Collections.Immutable;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes;

namespace Piccolo.Tests.Fakes;

/// <summary>Volumes in memory that record what they were asked and fail where a test says so.</summary>
internal sealed class RecordingVolumes : IAppVolumes
{
    private readonly ConcurrentDictionary<string, ImmutableArray<string>> _open = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _calls = [];
    private readonly ConcurrentDictionary<string, bool> _images = new(StringComparer.Ordinal);

    public ImmutableArray<string> Calls => [.. _calls];

    /// <summary>What the named call (open, close, purge) answers while it is set.</summary>
    public ConcurrentDictionary<string, VolumeFault> Faults { get; } = [];

    /// <summary>The images that volumes were to follow, each once.</summary>
    public IEnumerable<string> Images => _images.Keys;

    public Task<VolumeResult> OpenAsync(string app, ImmutableArray<WantedVolume> volumes, CancellationToken cancellationToken)
    {
        Record("open", app);
        if (Faults.TryGetValue("open", out var fault)) return Task.FromResult(new VolumeResult(null, fault));
        foreach (var image in volumes.Select(v => v.Image).OfType<string>()) _images[image] = true;
        _open[app] = [.. volumes.Select(v => v.Name)];
        var folders = volumes.ToImmutableSortedDictionary(v => v.Name, v => $"/volumes/{app}/{v.Name}", StringComparer.Ordinal);
        return Task.FromResult(new VolumeResult(folders, null));
    }

    public Task<VolumeFault?> CloseAsync(string app, CancellationToken cancellationToken)
    {
        if (_open.ContainsKey(app)) Record("close", app);
        if (Faults.TryGetValue("close", out var fault)) return Task.FromResult<VolumeFault?>(fault);
        _open.TryRemove(app, out _);
        if (BrokenApp == app) BrokenApp = null;
        return Task.FromResult<VolumeFault?>(null);
    }

    public Task<VolumeFault?> PurgeAsync(string app, CancellationToken cancellationToken)
    {
        Record("purge", app);
        return Task.FromResult(Faults.GetValueOrDefault("purge"));
    }

    public ChangeSignal Changed { get; } = new();

    /// <summary>The app whose volume has lost its server; closing it mends that.</summary>
    public string? BrokenApp { get; set; }

    public ImmutableArray<string> Broken() => BrokenApp is { } app ? [app] : [];

    public ImmutableArray<string> Mounted() => [.. _open.Keys];

    public ImmutableArray<VolumeView> List() =>
        [.. _open.SelectMany(o => o.Value.Select(v => new VolumeView(o.Key, v, null, null, DateTimeOffset.UnixEpoch, IsMounted: true)))];

    /// <summary>What lies on the disk.</summary>
    public ImmutableArray<StoredVolume> OnDisk { get; set; } = [];

    public ImmutableArray<StoredVolume> Stored() => OnDisk;

    public Task<(IDisposable? Turn, VolumeFault? Fault)> RestAsync(string app, CancellationToken cancellationToken)
    {
        Record("rest", app);
        return Task.FromResult<(IDisposable?, VolumeFault?)>(_open.ContainsKey(app)
            ? (null, new VolumeFault(VolumeFaultKind.Busy, "It is open.", "Wait."))
            : (new RestEnd(() => Record("rest over", app)), null));
    }

    private sealed class RestEnd(Action over) : IDisposable
    {
        public void Dispose() => over();
    }

    private void Record(string call, string app) => _calls.Enqueue($"{call} {app}");
}
