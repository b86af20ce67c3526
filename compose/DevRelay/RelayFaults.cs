using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay;

/// <summary>What the relay does wrong on purpose. Every switch may be turned at any time from any thread.</summary>
public sealed class RelayFaults
{
    private volatile bool _refuseNewSessions;
    private volatile bool _hang;
    private volatile bool _omitCredits;
    private volatile bool _dropReplenish;
    private volatile bool _holdReplenish;
    private long _challengeDelay;

    /// <summary>Every stage 0 token is answered with close 1008.</summary>
    public bool RefuseNewSessions
    {
        get => _refuseNewSessions;
        set => _refuseNewSessions = value;
    }

    /// <summary>The hub accepts TCP connections and never answers a byte on them.</summary>
    public bool Hang
    {
        get => _hang;
        set => _hang = value;
    }

    /// <summary><c>connect</c> carries no credits, as from a relay before v0.3.7.</summary>
    public bool OmitCredits
    {
        get => _omitCredits;
        set => _omitCredits = value;
    }

    /// <summary>Credits that are due are forgotten.</summary>
    public bool DropReplenish
    {
        get => _dropReplenish;
        set => _dropReplenish = value;
    }

    /// <summary>Credits that are due are kept back until the switch is off.</summary>
    public bool HoldReplenish
    {
        get => _holdReplenish;
        set => _holdReplenish = value;
    }

    /// <summary>Accepted sessions get nothing more, not even a pong, while their connections stay open.</summary>
    public bool Mute
    {
        get => Sending.IsPaused;
        set
        {
            if (value) Sending.Pause();
            else Sending.Resume();
        }
    }

    /// <summary>How long the challenge is withheld.</summary>
    public TimeSpan ChallengeDelay
    {
        get => new(Interlocked.Read(ref _challengeDelay));
        set => Interlocked.Exchange(ref _challengeDelay, value.Ticks);
    }

    internal PauseGate Sending { get; } = new();
}
