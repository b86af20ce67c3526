using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture.Pages;

/// <summary>
/// A page of <c>docs/</c> with one table of claims. The second cell of a row is its state, of
/// exactly four forms: <c>shown</c>, <c>partly: what is not shown</c>,
/// <c>by construction</c> or <c>open</c>. The last cell names tests, files and <c>./dev</c> commands in back quotes. The page's intro counts the states.
/// </summary>
/// <param name="Claims">The table's rows, from the top.</param>
/// <param name="Counted">The intro's numbers: shown, partly, by construction, open. Empty where the intro has none.</param>
internal sealed partial record ClaimPage(Claim[] Claims, int[] Counted)
{
    private const int Shortest = 10;

    private static readonly HashSet<string> Tests =
    [
        .. from type in typeof(ClaimPage).Assembly.GetTypes()
           from method in type.GetMethods()
           where method.GetCustomAttributes(inherit: true).Any(a => a is TestAttribute or TestCaseAttribute or TestCaseSourceAttribute)
           from name in new[] { type.Name, $"{type.Name}.{method.Name}" }
           select name,
    ];

    /// <param name="file">Path inside the repository.</param>
    /// <param name="heading">Of the table's first column.</param>
    public static ClaimPage Read(string file, string heading)
    {
        var lines = File.ReadAllLines(Repository.File(file));
        var counted = lines.Select(l => CountPattern().Match(l)).FirstOrDefault(m => m.Success);
        var rows = lines.SkipWhile(l => !l.StartsWith($"| {heading} |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|'));
        return new ClaimPage(
            [.. rows.Select(l => l[2..^2].Split(" | "))
                .Select(c => new Claim(c[0], c[1], c[^2], [.. NamePattern().Matches(c[^1]).Select(m => m.Groups[1].Value)]))],
            counted is null ? [] : [.. counted.Groups.Values.Skip(1).Select(g => int.Parse(g.Value, CultureInfo.InvariantCulture))]);
    }

    /// <summary>What breaks the page's grammar, one sentence each; none when it is whole.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var claim in Claims)
        {
            var id = claim.Id.Length > 60 ? claim.Id[..60] : claim.Id;
            var isPartly = PartlyPattern().IsMatch(claim.State);
            if (claim.State is not ("shown" or "by construction" or "open") && !isPartly) yield return $"{id}: '{claim.State}' is no state.";
            if (claim.What.Length < Shortest && claim.What != claim.State) yield return $"{id}: claims nothing.";
            foreach (var name in claim.Named.Where(n => !Exists(n))) yield return $"{id}: there is no {name}.";
            if ((claim.State == "shown" || isPartly) && !claim.Named.Any(Tests.Contains)) yield return $"{id}: names no test.";
            if (claim.State == "by construction" && claim.Named.Length == 0) yield return $"{id}: names neither test nor file.";
            if (claim.State == "open" && claim.Named.Length > 0) yield return $"{id}: is open and yet names {claim.Named[0]}.";
        }
    }

    /// <summary>The states as the table has them, in the order of <see cref="Counted"/>.</summary>
    public int[] Count() =>
    [
        .. new[] { "shown", "partly: ", "by construction", "open" }.Select(state => Claims.Count(c => c.State.StartsWith(state, StringComparison.Ordinal))),
    ];

    private static bool Exists(string name) =>
        name.StartsWith("./dev ", StringComparison.Ordinal)
        ? File.ReadAllText(Repository.File("dev")).Contains(name["./dev ".Length..], StringComparison.Ordinal)
        : Tests.Contains(name) || File.Exists(Repository.File(name));

    [GeneratedRegex(@"shown (\d+), partly (\d+), by construction (\d+), open (\d+)")]
    private static partial Regex CountPattern();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^partly: \S.{9,}$")]
    private static partial Regex PartlyPattern();
}
