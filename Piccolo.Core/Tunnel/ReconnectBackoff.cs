namespace Piccolo.Core.Tunnel;

/// <summary>
/// Pauses between attempts: random below a ceiling that doubles ("full jitter"), so that devices of one relay do not return all at once. Of an outage it
/// doubles once and then waits some attempts before it goes on: most outages are a relay that restarts, and end within seconds.
/// </summary>
internal sealed class ReconnectBackoff(NexusOptions options, Func<double> random)
{
    /// <summary>About a quarter of a minute with pauses of up to twice the base.</summary>
    private const int QuickAttempts = 16;

    private const int MaxDoublings = 30;

    private int _failures;

    /// <param name="isOutage">Nobody answered, as against somebody who said no.</param>
    public TimeSpan Next(bool isOutage)
    {
        var doublings = !isOutage ? _failures : _failures < QuickAttempts ? Math.Min(_failures, 1) : _failures - QuickAttempts + 2;
        var ceiling = Math.Min(options.ReconnectMax.TotalSeconds, options.ReconnectBase.TotalSeconds * (1L << Math.Min(doublings, MaxDoublings)));
        _failures = Math.Min(_failures + 1, MaxDoublings + QuickAttempts);
        return TimeSpan.FromSeconds(ceiling * random());
    }

    /// <summary>Somebody asks to be left alone: the longest pause, and none below half of it.</summary>
    public TimeSpan Longest() => options.ReconnectMax * (0.5 + (random() / 2));

    public void Reset() => _failures = 0;
}
