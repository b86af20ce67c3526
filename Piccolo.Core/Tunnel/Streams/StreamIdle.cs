namespace Piccolo.Core.Tunnel.Streams;

/// <summary>How long nothing has moved on a stream, and what became of the questions whether the relay still knows it. Reader and writer touch it; the rest is its session's, under one lock.</summary>
internal sealed class StreamIdle(TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(0.1);

    private long _moved = time.GetTimestamp();
    private long? _answered;
    private long _asked;

    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _moved));

    /// <summary>Silences in a row.</summary>
    public int Unanswered { get; private set; }

    /// <summary>A question is on its way, or the last one met silence: whether the stream still counts is not known.</summary>
    public bool IsDoubted { get; set; }

    /// <summary>An answer of a moment ago is worth as much as a new one.</summary>
    public bool IsKnown => _answered is { } at && time.GetElapsedTime(at) < Fresh;

    public void Touch() => Volatile.Write(ref _moved, time.GetTimestamp());

    /// <summary>A question is on its way.</summary>
    public bool IsAsked { get; set; }

    public TimeSpan SinceAsked => time.GetElapsedTime(_asked);

    public void Ask() => (IsAsked, _asked) = (true, time.GetTimestamp());

    public void Answer()
    {
        Touch();
        _answered = time.GetTimestamp();
        Unanswered = 0;
    }

    /// <summary>The relay has answered what came after the question.</summary>
    /// <returns>Whether the stream met it with silence.</returns>
    public bool Judge()
    {
        IsAsked = false;
        var isSilent = Volatile.Read(ref _moved) < _asked;
        Unanswered = isSilent ? Unanswered + 1 : 0;
        return isSilent;
    }
}
