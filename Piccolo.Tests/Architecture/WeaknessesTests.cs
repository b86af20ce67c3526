using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// Reads <c>docs/weaknesses.md</c>: each of the 118 known weaknesses has one row; what is called ended names tests that exist, what is open says so.
/// </summary>
internal sealed partial class WeaknessesTests
{
    private const int Known = 118;

    private static readonly Row[] Rows = [.. File.ReadLines(Repository.File("docs/weaknesses.md")).Select(line => RowPattern().Match(line)).Where(m => m.Success)
        .Select(m => new Row(m.Groups["id"].Value, m.Groups["state"].Value, m.Groups["what"].Value, [.. TestPattern().Matches(m.Groups["tests"].Value).Select(t => t.Groups[1].Value)]))];

    private static readonly HashSet<string> Tests =
    [
        .. from type in typeof(WeaknessesTests).Assembly.GetTypes()
           from method in type.GetMethods()
           where method.GetCustomAttributes(inherit: true).Any(a => a is TestAttribute or TestCaseAttribute or TestCaseSourceAttribute)
           select $"{type.Name}.{method.Name}",
    ];

    [Test]
    public void Table_HasEachKnownWeaknessOnce() =>
        Assert.That(Rows.Select(r => r.Id), Is.EqualTo(Enumerable.Range(1, Known).Select(n => $"PW-{n:00}")));

    [Test]
    public void Rows_ThatAreEnded_NameTestsThatExist()
    {
        Assert.That(Rows.Where(r => r.State == "ended" && r.Tests.Length == 0).Select(r => r.Id), Is.Empty);
        Assert.That(Rows.SelectMany(r => r.Tests.Where(t => !Tests.Contains(t)).Select(t => $"{r.Id}: {t}")), Is.Empty);
    }

    [Test]
    public void Rows_ThatAreOpen_ClaimNoTest() =>
        Assert.That(Rows.Where(r => r.State == "open" && (r.Tests.Length > 0 || r.What.Length < 10)).Select(r => r.Id), Is.Empty);

    private sealed record Row(string Id, string State, string What, string[] Tests);

    [GeneratedRegex(@"^\| (?<id>PW-\d+) \| (?<state>ended|open) \| (?<what>[^|]*) \| (?<tests>[^|]*) \|$")]
    private static partial Regex RowPattern();

    [GeneratedRegex("`([A-Za-z0-9_]+\\.[A-Za-z0-9_]+)`")]
    private static partial Regex TestPattern();
}
