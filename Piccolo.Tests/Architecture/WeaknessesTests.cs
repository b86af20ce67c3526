using Piccolo.Tests.Architecture.Pages;

namespace Piccolo.Tests.Architecture;

/// <summary>Reads <c>docs/dev/weaknesses.md</c>: each of the 118 known weaknesses has one row, and no row claims a test that does not exist.</summary>
internal sealed class WeaknessesTests
{
    private const int Known = 118;

    private static readonly ClaimPage Page = ClaimPage.Read("docs/dev/weaknesses.md", "id");

    [Test]
    public void Table_HasEachKnownWeaknessOnce() =>
        Assert.That(Page.Claims.Select(c => c.Id), Is.EqualTo(Enumerable.Range(1, Known).Select(n => $"PW-{n:00}")));

    [Test]
    public void Rows_KeepTheGrammarAndNameWhatExists() => Assert.That(Page.Faults(), Is.Empty);

    [Test]
    public void Intro_CountsTheStatesOfTheTable() => Assert.That(Page.Counted, Is.EqualTo(Page.Count()), "shown, partly, by construction, open");
}
