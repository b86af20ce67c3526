using Piccolo.TestRun;

namespace Piccolo.Tests.Tools.TestRun;

internal sealed class RunOptionsTests
{
    [TestCase("", "TestCategory!=Slow")]
    [TestCase("--all", "")]
    [TestCase("--fast",
        "TestCategory!=Slow&TestCategory!=Timing&TestCategory!=NeedsRoot&TestCategory!=NeedsPodman&TestCategory!=NeedsPebble&TestCategory!=NeedsProcess")]
    [TestCase("--filter Nexus", "(TestCategory=Nexus|FullyQualifiedName~Nexus)&TestCategory!=Slow")]
    [TestCase("--all --filter a(b|c)", @"(TestCategory=a\(b\|c\)|FullyQualifiedName~a\(b\|c\))")]
    public void Filter_OfOptions_IsThat(string line, string filter) => Assert.That(Parse(line).Filter, Is.EqualTo(filter));

    [TestCase("--quick", "unknown option --quick")]
    [TestCase("--filter", "--filter needs a name")]
    [TestCase("--seed x", "--seed needs a whole number")]
    [TestCase("--all --fast", "exclude each other")]
    public void Parse_BadOption_SaysWhy(string line, string why) => Assert.That(() => Parse(line), Throws.TypeOf<UsageException>().With.Message.Contains(why));

    [Test]
    public void Seed_InTheGate_IsAlwaysTheSame() => Assert.That(new[] { Parse("").Seed, Parse("--fast").Seed }, Is.All.EqualTo(RunOptions.FixedSeed));

    [Test]
    public void Seed_OfAll_IsDrawnUnlessGiven()
    {
        Assert.That(Enumerable.Range(0, 5).Select(_ => Parse("--all").Seed).Distinct().Count(), Is.GreaterThan(1));
        Assert.That(Parse("--all --seed 7").Seed, Is.EqualTo(7));
    }

    private static RunOptions Parse(string line) => RunOptions.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
