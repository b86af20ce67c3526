using Piccolo.Tests.Fakes;
using Piccolo.TestRun.Results;

namespace Piccolo.Tests.Tools.TestRun;

internal sealed class RunFaultsTests
{
    private static readonly TestResult Passed = new("N.A.One", "N.A.One", "Passed");
    private static readonly TestResult Failed = new("N.A.Two", "N.A.Two", "Failed", "message");

    [Test]
    public void Of_WholeRun_HasNone() =>
        Assert.That(Faults(new TrxFile([Passed], ["Data collector 'Blame' message: All tests finished running, Sequence file will not be generated."], 1)),
            Is.Empty);

    [Test]
    public void Of_FailedTest_IsNotTheRunsFault() => Assert.That(Faults(new TrxFile([Passed, Failed], [], 2), code: 1), Is.Empty);

    [Test]
    public void Of_FilterWithoutMatch_IsNoTestRan() =>
        Assert.That(Faults(new TrxFile([], ["No test matches the given testcase filter `x` in y"], null)), Is.EqualTo(["no test ran"]));

    [Test]
    public void Of_HostThatDied_NamesWhatWasRunningAndWhatIsMissing()
    {
        var faults = Faults(new TrxFile([Passed], ["The active test run was aborted. Reason: Test host process crashed"], null), code: 1, ["N.A.Two"],
            () => ["N.A.Two", "N.A.Three"]);

        Assert.That(faults, Has.Count.EqualTo(3));
        Assert.That(faults[0], Does.Contain("Test host process crashed"));
        Assert.That(faults[1], Does.Contain("while these tests were running: N.A.Two"));
        Assert.That(faults[2], Does.Contain("2 tests were discovered and have no result: N.A.Two, N.A.Three"));
    }

    [Test]
    public void Of_ResultsThatAreFewer_AreMissing() =>
        Assert.That(Faults(new TrxFile([Passed], [], 2), missing: () => ["N.A.Two"]), Is.EqualTo(["1 tests were discovered and have no result: N.A.Two"]));

    [Test]
    public void Of_TearDownOfAFixtureThatFailed_IsAFault() =>
        Assert.That(Faults(new TrxFile([Passed], ["TearDown failed for test fixture N.A"], 1)), Is.EqualTo(["TearDown failed for test fixture N.A"]));

    [Test]
    public void Of_ExitCodeThatNothingExplains_IsAFault() => Assert.That(Faults(new TrxFile([Passed], [], 1), code: 134).Single(), Does.Contain("code 134"));

    [Test]
    public void Of_FileThatDoesNotSayHowMany_IsAFault() => Assert.That(Faults(new TrxFile([Passed], [], null)).Single(), Does.Contain("does not say how many"));

    [Test]
    public void Running_InASequenceFile_AreThoseNotCompleted()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("attachment"));
        File.WriteAllText(Path.Combine(folder.File("attachment"), "Sequence_1.xml"),
            """<?xml version="1.0"?><TestSequence><Test Name="N.A.One" DisplayName="N.A.One" Completed="True" /><Test Name="N.A.Two" DisplayName="N.A.Two(1)" Completed="False" /></TestSequence>""");
        File.WriteAllText(folder.File("Sequence_2.xml"), "<TestSequence><Test Na");

        Assert.That(SequenceFile.RunningIn(folder.Path), Is.EqualTo(["N.A.Two(1)"]));
        Assert.That(SequenceFile.RunningIn(folder.File("none")), Is.Empty);
    }

    private static IReadOnlyList<string> Faults(TrxFile trx, int code = 0, IReadOnlyList<string>? running = null,
        Func<IReadOnlyList<string>>? missing = null) =>
        RunFaults.Of(trx, code, running ?? [], missing ?? (() => throw new AssertionException("nobody was to be missed")));
}
