using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Fakes.Clocks;

/// <summary>True time that tells how often timers of one length were set anew: who watches over silence does so at each sign of life.</summary>
internal sealed class RenewedTimers(TimeSpan length) : TimeProvider
{
    private readonly ChangeSignal _renewed = new();
    private int _count;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        return dueTime == length ? new Timer(this, timer) : timer;
    }

    /// <summary>So many times more, from now on.</summary>
    public async Task UntilAsync(int more, CancellationToken cancellationToken)
    {
        var enough = Volatile.Read(ref _count) + more;
        for (var seen = _renewed.Version; Volatile.Read(ref _count) < enough; seen = _renewed.Version) await _renewed.WaitAsync(seen, cancellationToken);
    }

    private sealed class Timer(RenewedTimers owner, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = inner.Change(dueTime, period);
            Interlocked.Increment(ref owner._count);
            owner._renewed.Raise();
            return changed;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
