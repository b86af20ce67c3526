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
    private volatile bool _refuseReauth;
    private volatile bool _carryNoStream;
    private volatile bool _endTls;
    private volatile bool _loseDisconnects;
    private volatile bool _repeatDisconnects;
    private volatile bool _answerNoQuestion;
    private long _challengeDelay;
    private long _clockOffset;

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

    /// <summary>Every answer to a re-auth challenge is refused, whatever it says: the session ends without a close frame.</summary>
    public bool RefuseReauth
    {
        get => _refuseReauth;
        set => _refuseReauth = value;
    }

    /// <summary>Sessions live and are answered, but users who knock hear nothing and no backend hears of them.</summary>
    public bool CarryNoStream
    {
        get => _carryNoStream;
        set => _carryNoStream = value;
    }

    /// <summary>TLS of the users is ended here, with a certificate that this relay makes for the name: what the protocol's relays must never do.</summary>
    public bool EndTls
    {
        get => _endTls;
        set => _endTls = value;
    }

    /// <summary>Nothing is written to any user, as if none of them read; what is sent to them waits here, as far as it may.</summary>
    public bool StallUsers
    {
        get => Users.IsPaused;
        set
        {
            if (value) Users.Pause();
            else Users.Resume();
        }
    }

    /// <summary>No backend hears that a user has left, as from a lane that is full at that moment.</summary>
    public bool LoseDisconnects
    {
        get => _loseDisconnects;
        set => _loseDisconnects = value;
    }

    /// <summary>Every <c>disconnect</c> is sent twice.</summary>
    public bool RepeatDisconnects
    {
        get => _repeatDisconnects;
        set => _repeatDisconnects = value;
    }

    /// <summary><c>ping_client</c> is never answered.</summary>
    public bool AnswerNoQuestion
    {
        get => _answerNoQuestion;
        set => _answerNoQuestion = value;
    }

    /// <summary>How far the relay's clock is ahead when it judges tokens.</summary>
    public TimeSpan ClockOffset
    {
        get => new(Interlocked.Read(ref _clockOffset));
        set => Interlocked.Exchange(ref _clockOffset, value.Ticks);
    }

    /// <summary>How long the challenge is withheld.</summary>
    public TimeSpan ChallengeDelay
    {
        get => new(Interlocked.Read(ref _challengeDelay));
        set => Interlocked.Exchange(ref _challengeDelay, value.Ticks);
    }

    internal PauseGate Sending { get; } = new();

    internal PauseGate Users { get; } = new();

    /// <summary>The clock by which tokens are judged.</summary>
    internal TimeProvider Clock(TimeProvider time) => new ShiftedTime(time, this);

    private sealed class ShiftedTime(TimeProvider time, RelayFaults faults) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + faults.ClockOffset;
    }
}
