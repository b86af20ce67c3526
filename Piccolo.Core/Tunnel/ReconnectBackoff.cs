namespace Piccolo.Core.Tunnel;

/// <summary>Pauses between attempts: random below a ceiling that doubles ("full jitter"), so that devices of one relay do not return all at once.</summary>
internal sealed class ReconnectBackoff(NexusOptions options, Func<double> random)
{
    private const int MaxDoublings = 30;

    private int _failures;

    public TimeSpan Next()
    {
        var ceiling = Math.Min(options.ReconnectMax.TotalSeconds, options.ReconnectBase.TotalSeconds * (1L << Math.Min(_failures, MaxDoublings)));
        _failures = Math.Min(_failures + 1, MaxDoublings);
        return TimeSpan.FromSeconds(ceiling * random());
    }

    /// <summary>Somebody asks to be left alone: the longest pause, and none below half of it.</summary>
    public TimeSpan Longest() => options.ReconnectMax * (0.5 + (random() / 2));

    public void Reset() => _failures = 0;
}
