using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>
/// Gives memory back to the system once a load is over: idle blocks of our pools, free regions of the managed heap, free pages of the C library's heaps. By
/// themselves the last two keep what a load has made them take (ADR 0024). The only place that does so.
/// </summary>
internal sealed class MemoryTrim(BlockPool blocks, AppConnections apps, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, time);
        var need = new TrimNeed(Pace);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (!need.IsDue(GC.GetTotalAllocatedBytes(), Environment.WorkingSet)) continue;
                Trim();
                need.Trimmed(Environment.WorkingSet);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private void Trim()
    {
        blocks.Trim();
        apps.Blocks.Trim();
        // Aggressive alone gives regions back at once. It stops all threads, for 15 to 30 ms with a heap of an idle appliance's size.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeHeap.Trim();
    }
}

/// <summary>When memory is worth giving back: little is being allocated, and the process has grown since the last time.</summary>
internal sealed class TrimNeed(TimeSpan pace)
{
    /// <summary>A portal that asks twenty times a second allocates half of it.</summary>
    private const long QuietBytesPerSecond = 2 << 20;

    private const long WorthwhileBytes = 8 << 20;

    // What the start allocates counts as a load.
    private long _allocated = long.MinValue / 2;
    private long _kept;

    public bool IsDue(long allocated, long workingSet)
    {
        var isQuiet = allocated - _allocated < QuietBytesPerSecond * pace.TotalSeconds;
        _allocated = allocated;
        _kept = Math.Min(_kept, workingSet);
        return isQuiet && workingSet - _kept >= WorthwhileBytes;
    }

    public void Trimmed(long workingSet) => _kept = workingSet;
}
