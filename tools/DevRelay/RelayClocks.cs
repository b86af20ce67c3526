namespace Piccolo.DevRelay;

/// <summary>Every time limit of the relay, with the stock relay's values.</summary>
public sealed record RelayClocks
{
    /// <summary>For the upgrade (where the stock relay has no limit), and for each of the two tokens.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Write { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Ping { get; init; } = TimeSpan.FromSeconds(54);

    /// <summary>A session ends when neither message nor pong came for this long.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one second of a <c>reauth_*_seconds</c> claim takes.</summary>
    public TimeSpan ReauthSecond { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan ReauthGrace { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan ReplenishRetry { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan ReplenishGap { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>How long what is buffered toward a user may still be written when the stream ends.</summary>
    public TimeSpan Flush { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>From FIN to close, for TLS users of a stream that the backend ended.</summary>
    public TimeSpan HalfCloseGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a user without forward credit is kept when there is no idle timeout.</summary>
    public TimeSpan Starvation { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan PeekFirstByte { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan PeekExtension { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan PeekTotal { get; init; } = TimeSpan.FromSeconds(30);
}
