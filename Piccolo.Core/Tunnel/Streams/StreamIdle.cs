namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// How long nothing has moved on a stream, and how the pings ended that ask whether the relay still knows it. Reader and writer touch it; the rest is its
/// session's, under one lock.
/// </summary>
internal sealed class StreamIdle(TimeProvider time)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(0.1);

    private long _moved = time.GetTimestamp();
    private long? _answered;
    private long _pinged;

    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _moved));

    /// <summary>Pings in a row without an answer.</summary>
    public int UnansweredPings { get; private set; }

    /// <summary>A ping is under way, or the last one had no answer: it is not known whether the user is still there.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>An answer of a moment ago is as good as a new one.</summary>
    public bool WasJustAnswered => _answered is { } at && time.GetElapsedTime(at) < FreshFor;

    public void Touch() => Volatile.Write(ref _moved, time.GetTimestamp());

    /// <summary>A ping is under way.</summary>
    public bool IsPinged { get; set; }

    public TimeSpan SincePing => time.GetElapsedTime(_pinged);

    public void BeginPing() => (IsPinged, _pinged) = (true, time.GetTimestamp());

    public void OnPong()
    {
        Touch();
        _answered = time.GetTimestamp();
        UnansweredPings = 0;
    }

    /// <summary>The relay has answered what was sent after the ping.</summary>
    /// <returns>Whether nothing came for the stream since the ping.</returns>
    public bool EndPing()
    {
        IsPinged = false;
        var isSilent = Volatile.Read(ref _moved) < _pinged;
        UnansweredPings = isSilent ? UnansweredPings + 1 : 0;
        return isSilent;
    }
}
