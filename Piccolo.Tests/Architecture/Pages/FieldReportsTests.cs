namespace Piccolo.Tests.Architecture.Pages;

/// <summary>Reads <c>docs/dev/field-reports.md</c>: no row claims a test that does not exist.</summary>
internal sealed class FieldReportsTests
{
    private const int Known = 32;

    private static readonly ClaimPage Page = ClaimPage.Read("docs/dev/field-reports.md", "id");

    [Test]
    public void Table_HasEachReportOnce() => Assert.That(Page.Claims.Select(c => c.Id), Is.EqualTo(Enumerable.Range(1, Known).Select(n => $"FR-{n:00}")));

    [Test]
    public void Rows_KeepTheGrammarAndNameWhatExists() => Assert.That(Page.Faults(), Is.Empty);

    [Test]
    public void Intro_CountsTheStatesOfTheTable() => Assert.That(Page.Counted, Is.EqualTo(Page.Count()), "shown, partly, by construction, open");
}
