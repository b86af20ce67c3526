using Docker.DotNet.Models;

namespace Piccolo.Core.Containers.Podman;

/// <summary>
/// Adds up what the engine says of the single layers of a pull. Called where the line is read: <see cref="Progress{T}"/> would lose the order.
/// </summary>
/// <param name="onMore">Called when more has arrived than ever before.</param>
internal sealed class PullTally(Action<PullProgress> onMore) : IProgress<JSONMessage>
{
    /// <summary>The registry names the layers: an image has 127 at most, this many names are followed.</summary>
    private const int MaxLayers = 512;

    private readonly Dictionary<string, (long Done, long Total)> _layers = new(StringComparer.Ordinal);
    private PullProgress _last;

    /// <summary>In the engine's words; null where it named none.</summary>
    public string? Error { get; private set; }

    public void Report(JSONMessage value)
    {
        Error ??= value.Error?.Message;
        if (value.ID is not { Length: > 0 } id || (!_layers.ContainsKey(id) && _layers.Count == MaxLayers)) return;
        var (done, total) = _layers.GetValueOrDefault(id);
        total = Math.Max(total, value.Progress?.Total ?? 0);
        done = value.Status == "Download complete" ? Math.Max(done, total) : Math.Max(done, value.Progress?.Current ?? 0);
        _layers[id] = (done, total);
        var sum = _layers.Values.Aggregate((Done: 0L, Total: 0L), (a, b) => (Sum(a.Done, b.Done), Sum(a.Total, b.Total)));
        var now = new PullProgress(sum.Done, sum.Total > 0 ? Math.Max(sum.Total, sum.Done) : null);
        if (now == _last) return;
        _last = now;
        onMore(now);
    }

    /// <summary>The sizes are the registry's words, too.</summary>
    private static long Sum(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;
}
