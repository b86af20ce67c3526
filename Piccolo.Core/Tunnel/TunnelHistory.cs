using System.Collections.Immutable;

namespace Piccolo.Core.Tunnel;

/// <summary>What happened to sessions and streams since the process started. Thread-safe; never on the path of data.</summary>
internal sealed class TunnelHistory
{
    private const int MaxLosses = 10;

    private TunnelCounts _counts = TunnelCounts.None;
    private long _streams;

    public TunnelCounts Counts => Volatile.Read(ref _counts) with { Streams = Interlocked.Read(ref _streams) };

    public void StreamAccepted() => Interlocked.Increment(ref _streams);

    public void StreamRefused(string cause) => Update(counts => counts with { RefusedStreams = Increment(counts.RefusedStreams, cause) });

    public void StreamsAborted(int streams)
    {
        if (streams > 0) Update(counts => counts with { CutStreams = counts.CutStreams + streams });
    }

    public void SessionLost(DateTimeOffset at, TunnelFailure end) => Update(
        counts => counts with { Losses = [new TunnelLoss(at, end.Code, end.Reason), .. counts.Losses.Take(MaxLosses - 1)] });

    public void Reconnected(string code) => Update(counts => counts with { ReconnectsByReason = Increment(counts.ReconnectsByReason, code) });

    public void SessionReplaced() => Update(counts => counts with { ReplacedSessions = counts.ReplacedSessions + 1 });

    private static ImmutableSortedDictionary<string, long> Increment(ImmutableSortedDictionary<string, long> counts, string key) =>
        counts.SetItem(key, counts.GetValueOrDefault(key) + 1);

    private void Update(Func<TunnelCounts, TunnelCounts> change)
    {
        TunnelCounts before;
        do
        {
            before = Volatile.Read(ref _counts);
        }
        while (Interlocked.CompareExchange(ref _counts, change(before), before) != before);
    }
}
