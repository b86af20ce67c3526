namespace Piccolo.Tests.Fakes.Clocks;

/// <summary>A wall clock that can be set while the monotonic one goes on: what a night's sleep or a correction of the clock looks like to a process.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _offset;

    public TimeSpan Offset { set => Interlocked.Exchange(ref _offset, value.Ticks); }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _offset));
}
