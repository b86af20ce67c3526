using System.Collections.Immutable;

namespace Piccolo.Core.Tunnel;

/// <summary>What happened to sessions and streams since the process started. Thread-safe; never on the path of data.</summary>
internal sealed class TunnelHistory
{
    private const int Remembered = 10;

    private TunnelCounts _counts = TunnelCounts.None;
    private long _streams;

    public TunnelCounts Counts => Volatile.Read(ref _counts) with { Streams = Interlocked.Read(ref _streams) };

    public void LetIn() => Interlocked.Increment(ref _streams);

    public void Refused(string cause) => ImmutableUpdate(counts => counts with { RefusedStreams = OneMore(counts.RefusedStreams, cause) });

    public void Cut(int streams)
    {
        if (streams > 0) ImmutableUpdate(counts => counts with { CutStreams = counts.CutStreams + streams });
    }

    public void Lost(DateTimeOffset at, TunnelFailure end) => ImmutableUpdate(
        counts => counts with { Losses = [new TunnelLoss(at, end.Code, end.Reason), .. counts.Losses.Take(Remembered - 1)] });

    public void Returned(string code) => ImmutableUpdate(counts => counts with { ReconnectsByReason = OneMore(counts.ReconnectsByReason, code) });

    public void Replaced() => ImmutableUpdate(counts => counts with { ReplacedSessions = counts.ReplacedSessions + 1 });

    private static ImmutableSortedDictionary<string, long> OneMore(ImmutableSortedDictionary<string, long> counts, string key) =>
        counts.SetItem(key, counts.GetValueOrDefault(key) + 1);

    private void ImmutableUpdate(Func<TunnelCounts, TunnelCounts> change)
    {
        TunnelCounts before;
        do
        {
            before = Volatile.Read(ref _counts);
        }
        while (Interlocked.CompareExchange(ref _counts, change(before), before) != before);
    }
}
