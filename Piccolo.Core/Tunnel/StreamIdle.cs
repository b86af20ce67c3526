namespace Piccolo.Core.Tunnel;

/// <summary>
/// How long nothing has moved on a stream. Reader and writer only count; the clock is read by the one who looks, some seconds apart.
/// </summary>
internal sealed class StreamIdle
{
    private int _activity;
    private int _seen = -1;
    private long _since;

    /// <summary>Questions about the stream since anything last moved.</summary>
    public int Unanswered { get; set; }

    // Not interlocked: one count that is lost among many changes nothing.
    public void Touch() => _activity++;

    /// <summary>By one caller only.</summary>
    public TimeSpan Look(TimeProvider time)
    {
        var activity = Volatile.Read(ref _activity);
        if (activity == _seen) return time.GetElapsedTime(_since);
        (_seen, _since, Unanswered) = (activity, time.GetTimestamp(), 0);
        return TimeSpan.Zero;
    }
}
