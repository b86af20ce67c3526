namespace Piccolo.Bench;

/// <summary>The mean of interleaved rounds, and its standard error.</summary>
internal readonly record struct Estimate(double Mean, double Error)
{
    public static Estimate Of(IEnumerable<double> rounds)
    {
        var all = rounds.ToArray();
        var mean = all.Average();
        // One round says nothing about the next.
        var error = all.Length < 2 ? double.PositiveInfinity : Math.Sqrt(all.Sum(r => (r - mean) * (r - mean)) / (all.Length - 1) / all.Length);
        return new Estimate(mean, error);
    }
}
