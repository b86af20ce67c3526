namespace Piccolo.Rig.Load;

/// <summary>Figures of measured samples.</summary>
public static class Samples
{
    /// <summary>The value below which <paramref name="share"/> (0 to 1) of the samples lie; 0 without samples.</summary>
    public static double Percentile(IReadOnlyList<double> samples, double share)
    {
        var sorted = samples.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)Math.Ceiling(sorted.Length * share) - 1, 0, sorted.Length - 1)];
    }
}
