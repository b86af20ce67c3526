namespace Piccolo.Core.Tunnel;

/// <summary>
/// Pauses between attempts: random below a ceiling that doubles ("full jitter"), so that devices of one relay do not return all at once. Of an outage it
/// doubles once and then stays for minutes: most outages are a relay that restarts or a router that does, and an attempt that nobody answers costs nobody
/// anything. Outages and refusals are counted apart: a relay that stops in the middle of a handshake has not said no.
/// </summary>
internal sealed class ReconnectBackoff(TunnelOptions options, Func<double> random)
{
    /// <summary>About three minutes with pauses of up to twice the base.</summary>
    private const int QuickAttempts = 180;

    private const int MaxDoublings = 30;

    private int _outages;
    private int _refusals;

    /// <param name="isOutage">Nobody answered, as against somebody who said no.</param>
    public TimeSpan Next(bool isOutage)
    {
        var doublings = !isOutage ? _refusals++ : _outages++ is var before && before < QuickAttempts ? Math.Min(before, 1) : before - QuickAttempts + 2;
        var ceiling = Math.Min(options.ReconnectMax.TotalSeconds, options.ReconnectBase.TotalSeconds * (1L << Math.Min(doublings, MaxDoublings)));
        return TimeSpan.FromSeconds(ceiling * random());
    }

    /// <summary>Somebody asks to be left alone: the longest pause, and none below half of it.</summary>
    public TimeSpan Longest() => options.ReconnectMax * (0.5 + (random() / 2));

    public void Reset() => (_outages, _refusals) = (0, 0);
}
