using Piccolo.Tests.Architecture.Pages;

namespace Piccolo.Tests.Architecture;

/// <summary>Reads <c>docs/owner/security.md</c>: each promise has a state and names tests that exist.</summary>
internal sealed class SecurityPageTests
{
    private static readonly ClaimPage Page = ClaimPage.Read("docs/owner/security.md", "promise");

    [Test]
    public void Rows_KeepTheGrammarAndNameWhatExists()
    {
        Assert.That(Page.Claims, Has.Length.GreaterThan(30), "the table was not found");
        Assert.That(Page.Faults(), Is.Empty);
    }

    [Test]
    public void Intro_CountsTheStatesOfTheTable() => Assert.That(Page.Counted, Is.EqualTo(Page.Count()), "shown, partly, by construction, open");
}
