namespace Piccolo.Core.Tunnel.Wire;

/// <summary>
/// Keep-alive of one connection: a ping each interval, and the end when nothing at all was heard for so long after one. The relay's own pings are answered, of
/// several only the latest (RFC 6455, 5.5.3). Thread-safe.
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    private const int ChecksPerInterval = 4;

    private readonly TunnelOptions _options;
    private readonly TimeProvider _time;
    private readonly Action _due;
    private readonly Action _dead;
    private readonly ITimer _timer;
    private byte[]? _pong;
    private long _lastPing;
    private long _heard;
    private int _pingDue;
    private volatile bool _unanswered;

    /// <param name="due">A ping wants to be sent.</param>
    /// <param name="dead">Nothing was heard for too long.</param>
    public KeepAlive(TunnelOptions options, TimeProvider time, Action due, Action dead)
    {
        (_options, _time, _due, _dead) = (options, time, due, dead);
        _lastPing = _heard = time.GetTimestamp();
        var pause = (options.KeepAliveInterval < options.KeepAliveTimeout ? options.KeepAliveInterval : options.KeepAliveTimeout) / ChecksPerInterval;
        _timer = time.CreateTimer(_ => CheckTimers(), null, pause, pause);
    }

    public bool IsDue => Volatile.Read(ref _pingDue) != 0 || Volatile.Read(ref _pong) is not null;

    /// <summary>Anything that comes is a sign of life, not only the answer to a ping.</summary>
    public void Heard() => Volatile.Write(ref _heard, _time.GetTimestamp());

    public void QueuePong(byte[] payload) => Volatile.Write(ref _pong, payload);

    public byte[]? TakePong() => Volatile.Read(ref _pong) is null ? null : Interlocked.Exchange(ref _pong, null);

    /// <summary>At the moment of sending: the wait for the answer begins.</summary>
    public bool TakePing()
    {
        if (Volatile.Read(ref _pingDue) == 0) return false;
        Volatile.Write(ref _lastPing, _time.GetTimestamp());
        _unanswered = true;
        Volatile.Write(ref _pingDue, 0);
        return true;
    }

    public void Dispose() => _timer.Dispose();

    private void CheckTimers()
    {
        // One that could not be sent yet waits for the writer, whose own limit then decides.
        if (Volatile.Read(ref _pingDue) != 0) return;
        var since = _time.GetElapsedTime(Volatile.Read(ref _lastPing));
        if (_unanswered && Volatile.Read(ref _heard) > Volatile.Read(ref _lastPing)) _unanswered = false;
        if (_unanswered && since >= _options.KeepAliveTimeout) _dead();
        else if (!_unanswered && since >= _options.KeepAliveInterval)
        {
            Volatile.Write(ref _pingDue, 1);
            _due();
        }
    }
}
