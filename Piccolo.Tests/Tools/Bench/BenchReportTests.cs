using Piccolo.Bench;


namespace Piccolo.Tests.Tools.Bench;

internal sealed class BenchReportTests
{
    [TestCase(0.80, 0.82, "BAR h1 0.810x ± 0.010 (bar >= 0.78x) OK", false)]
    [TestCase(0.75, 0.79, "BAR h1 0.770x ± 0.020 (bar >= 0.78x) within the error", false)]
    [TestCase(0.73, 0.77, "BAR h1 0.750x ± 0.020 (bar >= 0.78x) SHORT", true)]
    public void AtLeast_MeanOfRounds_AMissWithinTheErrorDoesNotFailTheRun(double one, double other, string line, bool isShort)
    {
        using var output = new StringWriter();
        var report = new BenchReport("test", output);

        report.AtLeast("h1", Estimate.Of([one, other]), "x", 0.78);

        Assert.That(output.ToString().TrimEnd(), Is.EqualTo(line));
        Assert.That(report.IsShort, Is.EqualTo(isShort));
    }
}
