namespace Piccolo.Core.Tunnel;

/// <summary>
/// Counts what one user sent in messages, which is what credits are about, while the app consumes bytes: a credit goes back once the last byte of its
/// message was consumed. Thread-safe.
/// </summary>
internal sealed class ForwardLedger
{
    /// <summary>Granted when a stream begins; fixes the relay's bucket.</summary>
    public const int Window = 64;

    /// <summary>Fewer credits than this are not worth a message.</summary>
    public const int Batch = 8;

    /// <summary>A relay may send this many beyond the window before it has processed the first grant.</summary>
    public const int Uncharged = 256;

    private readonly Lock _gate = new();
    private readonly Queue<int> _messages = new();
    private int _consumedOfFirst;
    private int _pending;
    private bool _grantPosted;

    public bool IsEmpty
    {
        get { lock (_gate) return _messages.Count == 0; }
    }

    /// <returns>False when the relay sent more than it may.</returns>
    public bool TryReceive(int length)
    {
        lock (_gate)
        {
            if (_messages.Count >= Window + Uncharged) return false;
            _messages.Enqueue(length);
            return true;
        }
    }

    /// <returns>Whether a grant is due that nobody has posted yet; the caller posts it.</returns>
    public bool Consume(long bytes)
    {
        lock (_gate)
        {
            var consumed = _consumedOfFirst + bytes;
            while (_messages.TryPeek(out var first) && first <= consumed)
            {
                _messages.Dequeue();
                consumed -= first;
                _pending++;
            }
            _consumedOfFirst = (int)consumed;
            if (_pending < Batch || _grantPosted) return false;
            return _grantPosted = true;
        }
    }

    /// <summary>What to grant now; asked for at the moment of sending, so that one message carries all that is due.</summary>
    public int TakeGrant()
    {
        lock (_gate)
        {
            _grantPosted = false;
            (var due, _pending) = (_pending, 0);
            return due;
        }
    }
}
