using Piccolo.TestRun.Flaky;
using Piccolo.TestRun.Results;

namespace Piccolo.Tests.Tools.TestRun;

internal sealed class FlakyTests
{
    private static readonly DateOnly Today = new(2026, 11, 30);
    private static readonly TestResult Passed = new("N.A.One", "N.A.One", "Passed");
    private static readonly TestResult Failed = new("N.A.Two(1)", "N.A.Two", "Failed", "first\nsecond");
    private static readonly TestResult Skipped = new("N.A.Three", "N.A.Three", "NotExecuted");

    [Test]
    public void Verdict_FlakyTest_IsNamedAndCountsAsFailed()
    {
        var verdict = Verdict.Of([Passed, Failed], Again(3), Known(), []);

        Assert.That(verdict.Lines, Is.EqualTo(["FLAKY N.A.Two(1): first | second (3 of 5 passed)"]));
        Assert.That(verdict.ClosingLine, Is.EqualTo("1 passed, 1 failed"));
        Assert.That(verdict.IsGreen, Is.False);
    }

    [Test]
    public void Verdict_FlakyTestThatIsForgiven_CountsAsPassedAndIsStillNamed()
    {
        var verdict = Verdict.Of([Passed, Failed], Again(1), Known("N.A.Two, 2026-12-01, the rig"), []);

        Assert.That(verdict.Lines, Is.EqualTo(["FLAKY N.A.Two(1): first | second (1 of 5 passed), forgiven until 2026-12-01: the rig"]));
        Assert.That((verdict.ClosingLine, verdict.IsGreen), Is.EqualTo(("2 passed, 0 failed", true)));
    }

    [Test]
    public void Verdict_ForgivenTestThatNeverPassesAgain_IsFailed()
    {
        var verdict = Verdict.Of([Passed, Failed], Again(0), Known("N.A.Two, 2026-12-01, the rig"), []);

        Assert.That(verdict.Lines, Is.EqualTo(["FAILED N.A.Two(1): first | second (0 of 5 passed)"]));
        Assert.That(verdict.IsGreen, Is.False);
    }

    [Test]
    public void Verdict_SkippedTestAndFaultOfTheRun_CountAsFailed()
    {
        var verdict = Verdict.Of([Passed, Skipped], new Dictionary<string, int>(), Known(), ["the test host died"]);

        Assert.That(verdict.Lines, Is.EqualTo(["FAILED N.A.Three: skipped (NotExecuted)", "FAILED (the run): the test host died"]));
        Assert.That(verdict.ClosingLine, Is.EqualTo("1 passed, 2 failed"));
    }

    [Test]
    public void Verdict_NothingPassed_IsNotGreen() => Assert.That(Verdict.Of([], new Dictionary<string, int>(), Known(), []).IsGreen, Is.False);

    [TestCase("N.A.Two, 2026-11-30, reason", null)]
    [TestCase("N.A.Two, 2026-11-29, reason", "was forgiven until 2026-11-29")]
    [TestCase("N.A.Two, 30.11.2026, reason", "is not of the form")]
    [TestCase("N.A.Two, 2026-12-30,", "is not of the form")]
    [TestCase("N.A.Two", "is not of the form")]
    [TestCase("N.A.Gone, 2026-12-30, reason", "there is no test N.A.Gone")]
    [TestCase("# N.A.Two", null)]
    public void Known_Entry_IsAFaultUnlessItHoldsToday(string line, string? fault)
    {
        var known = Known(line);

        Assert.That(known.Faults, fault is null ? Is.Empty : Has.One.Contains(fault));
    }

    [TestCase(1, true, true)]
    [TestCase(3, true, true)]
    [TestCase(4, true, false)]
    [TestCase(0, true, false)]
    [TestCase(1, false, false)]
    public void Retry_FewFailuresOfAWholeRun_AreAllowed(int failures, bool whole, bool allowed) =>
        Assert.That(RetryRules.Allow(failures, whole), Is.EqualTo(allowed));

    [TestCase("Piccolo.Tests.Core.Apps.AppCatalogTests.Install", true)]
    [TestCase("Piccolo.Tests.Scenarios.AliasTests.Alias", false)]
    [TestCase("Piccolo.Tests.Core.ControlStore.StoreIntegrityTests.Open", false)]
    public void Retry_ScenariosAndIntegrity_AreNotAllowed(string method, bool allowed) =>
        Assert.That(RetryRules.AllowByName(new TestResult(method, method, "Failed")), Is.EqualTo(allowed));

    [Test]
    public void Retry_SkippedTest_IsNotAllowed() => Assert.That(RetryRules.AllowByName(Skipped), Is.False);

    [Test]
    public void Retry_Filter_LeavesOutKillsSealedDataAndContainers() =>
        Assert.That(RetryRules.Filter(Failed), Is.EqualTo("FullyQualifiedName~N.A.Two&TestCategory!=Kill&TestCategory!=Sealed&TestCategory!=NeedsPodman"));

    private static Dictionary<string, int> Again(int passed) => new() { [Failed.Name] = passed };

    private static KnownFlaky Known(params string[] lines) => KnownFlaky.Read(lines, Today, () => new HashSet<string> { "N.A.One", "N.A.Two" });
}
