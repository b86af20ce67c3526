using Piccolo.Core.Tunnel.Session;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// How many messages we may still send to one user. The relay grants, we obey: one credit per data message, whatever its size.
/// The sender alone takes; grants come from the session's reader, also after the stream began to close. Thread-safe.
/// </summary>
internal sealed class ReverseCredits(long initial)
{
    /// <summary>No grant and no balance above this is believed.</summary>
    public const long Cap = 1_048_576;

    private readonly Lock _gate = new();
    private readonly AsyncAutoResetEvent _changed = new();

    // A relay that grants nothing at the start predates credits: it is sent to without limit.
    private readonly bool _unlimited = initial <= 0;
    private long _balance = Math.Clamp(initial, 0, Cap);
    private long _unacknowledged;

    public long Balance
    {
        get { lock (_gate) return _balance; }
    }

    /// <summary>Sent messages of which the relay has not said that they reached the user's socket; 0 when an old relay never says.</summary>
    public int Unacknowledged
    {
        get { lock (_gate) return (int)_unacknowledged; }
    }

    public bool TryTake()
    {
        if (_unlimited) return true;
        lock (_gate)
        {
            if (_balance == 0) return false;
            _balance--;
            _unacknowledged++;
            return true;
        }
    }

    /// <summary>Gives back a credit that <see cref="TryTake"/> took and no message used.</summary>
    public void Return()
    {
        if (_unlimited) return;
        lock (_gate)
        {
            _balance = Math.Min(_balance + 1, Cap);
            _unacknowledged = Math.Max(_unacknowledged - 1, 0);
        }
    }

    public void Grant(long credits)
    {
        if (credits <= 0 || _unlimited) return;
        lock (_gate)
        {
            var believed = Math.Min(credits, Cap);
            _balance = Math.Min(_balance + believed, Cap);
            _unacknowledged = Math.Max(_unacknowledged - believed, 0);
        }
        _changed.Set();
    }

    /// <summary>Waits until a message may be sent.</summary>
    public Task WaitForBalanceAsync(CancellationToken cancellationToken) =>
        _unlimited || Balance > 0 ? Task.CompletedTask : WaitAsync(() => _balance > 0, cancellationToken);

    /// <summary>Waits until all but <paramref name="atMost"/> messages have reached the user's socket. An old relay never tells: then at once.</summary>
    public Task WaitForAcknowledgementAsync(int atMost, CancellationToken cancellationToken) => WaitAsync(() => _unacknowledged <= atMost, cancellationToken);

    private async Task WaitAsync(Func<bool> holds, CancellationToken cancellationToken)
    {
        while (!_unlimited)
        {
            lock (_gate)
            {
                if (holds()) return;
            }
            await _changed.WaitAsync(cancellationToken);
        }
    }
}
