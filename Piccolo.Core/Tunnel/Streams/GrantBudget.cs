namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// Shares among the uploads of a session what the relay may have under way to us. The relay has one lane of 256 messages for a whole session: what does not fit
/// into it costs streams their lives and new users their entry, and what waits in it delays everybody. So all uploads together are granted what the way takes
/// in a round trip and a tenth of a second, and never more than leaves the lane room for the others. Thread-safe.
/// </summary>
internal sealed class GrantBudget(Func<TimeSpan?> roundTrip, TimeProvider time)
{
    /// <summary>With the first grants of streams that are no uploads yet, and with those that come and go, the lane's 256 are not reached.</summary>
    public const int MaxMessages = 160;

    /// <summary>An upload is never granted less: what has no credit at all is ended by the relay.</summary>
    public const int MinMessages = 2;

    /// <summary>What a lone upload begins with, before its rate is known.</summary>
    private const int InitialMessages = 16;

    private const double RateWeight = 0.3;

    private static readonly TimeSpan QueueTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MeasureFor = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan UnknownRoundTrip = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private int _uploads;
    private int _outstanding;
    private int _received;
    private long _from;
    private double _perSecond;

    /// <summary>A stream has become an upload, with so many credits that the relay has of it.</summary>
    public void Enter(int outstanding)
    {
        lock (_gate)
        {
            _outstanding += outstanding;
            if (_uploads++ > 0) return;
            (_from, _received, _perSecond) = (time.GetTimestamp(), 0, InitialMessages / Delay);
        }
    }

    public void Leave(int outstanding)
    {
        lock (_gate)
        {
            _outstanding -= outstanding;
            _uploads--;
        }
    }

    public void Granted(int credits)
    {
        lock (_gate) _outstanding += credits;
    }

    /// <summary>A message of an upload has come.</summary>
    public void Received(bool wasGranted)
    {
        lock (_gate)
        {
            if (wasGranted) _outstanding--;
            _received++;
            var elapsed = time.GetElapsedTime(_from);
            if (elapsed < MeasureFor) return;
            var rate = _received / elapsed.TotalSeconds;
            // Up at once, because more credit is how a way shows that it takes more; down by and by, because messages come in bursts.
            _perSecond = rate > _perSecond ? rate : _perSecond + (RateWeight * (rate - _perSecond));
            (_from, _received) = (time.GetTimestamp(), 0);
        }
    }

    /// <summary>What an upload that holds so many messages, granted or not yet consumed, may be granted now.</summary>
    /// <param name="share">Its part of the whole.</param>
    public int Room(int held, out int share)
    {
        lock (_gate)
        {
            var total = (int)Math.Clamp(_perSecond * Delay, MinMessages, MaxMessages);
            share = Math.Clamp(total / Math.Max(_uploads, 1), MinMessages, ForwardLedger.Window);
            return Math.Min(share - held, Math.Max(total - _outstanding, MinMessages - held));
        }
    }

    private double Delay => ((roundTrip() ?? UnknownRoundTrip) + QueueTime).TotalSeconds;
}
