namespace Piccolo.Tests.Architecture.Pages;

/// <summary>One row of a <see cref="ClaimPage"/>.</summary>
/// <param name="Id">The first cell.</param>
/// <param name="State">The second cell.</param>
/// <param name="What">The cell before the last; the state itself in a table of three columns.</param>
/// <param name="Named">What the last cell has in back quotes.</param>
internal sealed record Claim(string Id, string State, string What, string[] Named);
