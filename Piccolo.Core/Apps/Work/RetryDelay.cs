namespace Piccolo.Core.Apps.Work;

/// <summary>How long to wait after failures in a row: 1 s, doubled each time, at most 5 minutes, ± 20 %. Pure.</summary>
internal static class RetryDelay
{
    public static readonly TimeSpan Min = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Max = TimeSpan.FromMinutes(5);

    /// <param name="failures">At least 1.</param>
    /// <param name="random">Gives 0 to 1.</param>
    public static TimeSpan After(int failures, Func<double> random) => After(failures, Max, random);

    public static TimeSpan After(int failures, TimeSpan max, Func<double> random)
    {
        // Capped before the shift: 2^40 s is still a TimeSpan, 2^70 is not.
        var delay = Min * Math.Pow(2, Math.Clamp(failures - 1, 0, 30));
        return (delay < max ? delay : max) * (0.8 + (0.4 * random()));
    }
}
