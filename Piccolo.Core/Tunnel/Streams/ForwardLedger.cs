namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// Counts what one user sends in messages, which is what credits are about, while the app consumes bytes. What is granted is what the user may have under way
/// beside what the app has not consumed yet: a few messages for one who asks and waits, a share of the session's budget for an upload. Thread-safe.
/// </summary>
internal sealed class ForwardLedger(GrantBudget budget)
{
    /// <summary>The relay's bucket holds so many and drops what is beyond.</summary>
    public const int Window = 64;

    /// <summary>Granted when a stream begins. Until the relay has read it, it sends without limit.</summary>
    public const int First = 8;

    /// <summary>Fewer credits than this are not worth a message, where there are more to be had.</summary>
    public const int Batch = 8;

    /// <summary>A relay may send this many beyond the window before it has processed the first grant.</summary>
    public const int MaxMessagesBeyondWindow = 256;

    /// <summary>For streams of small messages: so many may be under way, and as few as the second are left when more are granted.</summary>
    private const int SmallStreamWindow = 16;
    private const int SmallStreamRefillAt = 4;

    /// <summary>Messages that are as long as this in the mean are an upload's.</summary>
    private const int UploadMeanBytes = 4096;
    private const int MeanOverMessages = 4;

    private readonly Lock _gate = new();
    private readonly Queue<int> _messages = new();
    private int _consumedOfFirst;
    private int _outstanding = First;
    private int _mean;
    private bool _isUpload;
    private bool _grantPosted;
    private bool _hasEnded;

    public bool IsEmpty
    {
        get { lock (_gate) return _messages.Count == 0; }
    }

    /// <returns>False when the relay sent more than it may.</returns>
    public bool TryReceive(int length)
    {
        lock (_gate)
        {
            if (_messages.Count >= Window + MaxMessagesBeyondWindow) return false;
            _messages.Enqueue(length);
            _mean += (length - _mean) / MeanOverMessages;
            var wasGranted = _outstanding > 0;
            // What the relay sent before it read the first grant is counted as granted all the same: it then has more credit than we think, never less.
            if (wasGranted) _outstanding--;
            if (_isUpload) budget.Received(wasGranted);
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
            }
            _consumedOfFirst = (int)consumed;
            if (_grantPosted || Due() == 0) return false;
            return _grantPosted = true;
        }
    }

    /// <summary>What to grant now; asked for at the moment of sending, so that one message carries all that is due.</summary>
    public int TakeGrant()
    {
        lock (_gate)
        {
            _grantPosted = false;
            var due = Due();
            _outstanding += due;
            if (_isUpload) budget.Granted(due);
            return due;
        }
    }

    /// <summary>Nothing has come for a while: what the relay has is held against nobody else until more comes.</summary>
    public void OnIdle()
    {
        lock (_gate)
        {
            _mean = 0;
            SetUpload(false);
        }
    }

    /// <summary>The relay takes no more grants for this stream.</summary>
    public void End()
    {
        lock (_gate)
        {
            _hasEnded = true;
            SetUpload(false);
        }
    }

    private int Due()
    {
        if (_hasEnded) return 0;
        SetUpload(_mean >= UploadMeanBytes);
        var held = _outstanding + _messages.Count;
        if (!_isUpload) return _outstanding <= SmallStreamRefillAt && SmallStreamWindow - held >= Batch ? SmallStreamWindow - held : 0;
        var grant = Math.Min(budget.Room(held, out var share), Window - _outstanding);
        return grant >= Math.Min(Batch, share / 2) || held == 0 ? Math.Max(grant, 0) : 0;
    }

    private void SetUpload(bool isUpload)
    {
        if (_isUpload == isUpload) return;
        _isUpload = isUpload;
        if (isUpload) budget.Enter(_outstanding);
        else budget.Leave(_outstanding);
    }
}
