namespace Piccolo.Core.Tunnel;

/// <summary>What the world tells the loop: another network, a night's sleep, a clock that was set.</summary>
public sealed partial class RelayTunnel
{
    private int _woken;

    /// <summary>
    /// Something has changed that may let the next attempt succeed, or have cut the session without a word: what waits is tried at once, and the session is
    /// asked for a sign of life.
    /// </summary>
    public void Wake(string cause)
    {
        _logger.Woken(cause);
        Volatile.Write(ref _woken, 1);
        _targetChanged.Raise();
    }

    private void HandleWake()
    {
        if (Interlocked.Exchange(ref _woken, 0) == 0) return;
        _failedTarget = null;
        _backoff.Reset();
        _ = _serving?.RequireAnswerAsync();
    }
}
