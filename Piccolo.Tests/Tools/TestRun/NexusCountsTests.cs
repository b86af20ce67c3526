using Piccolo.TestRun.Results;

namespace Piccolo.Tests.Tools.TestRun;

internal sealed class NexusCountsTests
{
    private static readonly string[] Table =
    [
        "| rule | side | shown by | note |", "| NX-01 | BR | `A.One`, `A.Two` |  |", "| NX-02 | R | not offered: streams |  |", "| NX-03 | B | `A.Three` |  |",
        "| NX-04 | B | `A.Never` |  |", "| NX-05 | B | `B.One` |  |",
    ];

    [Test]
    public void Of_RowsWhoseTestsAllPassed_AreCounted()
    {
        TestResult[] results = [Result("N.A.One", "Passed"), Result("N.A.Two", "Passed"), Result("N.A.Three", "Passed"), Result("N.A.Three", "Failed")];

        Assert.That(NexusCounts.Of(Table, results).ToString(), Is.EqualTo("NX without a passed test: NX-03 NX-04 NX-05\nNX passed 1, not offered 1"));
    }

    private static TestResult Result(string method, string outcome) => new(method, method, outcome);
}
