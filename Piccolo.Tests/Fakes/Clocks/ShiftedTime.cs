namespace Piccolo.Tests.Fakes.Clocks;

/// <summary>A wall clock that can be set while the monotonic one goes on: what a night's sleep or a correction of the clock looks like to a process.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private readonly TaskCompletionSource _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _offset;
    private long _skipped;

    public TimeSpan Offset { set => Interlocked.Exchange(ref _offset, value.Ticks); }

    /// <summary>Completes when somebody has begun to wait by this clock.</summary>
    public Task Armed => _armed.Task;

    /// <summary>Ages everything that is measured by the steady clock; timers keep to real time.</summary>
    public void Skip(TimeSpan span) => Interlocked.Add(ref _skipped, span.Ticks * (TimestampFrequency / TimeSpan.TicksPerSecond));

    public override long GetTimestamp() => System.GetTimestamp() + Interlocked.Read(ref _skipped);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _armed.TrySetResult();
        return base.CreateTimer(callback, state, dueTime, period);
    }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _offset));
}
