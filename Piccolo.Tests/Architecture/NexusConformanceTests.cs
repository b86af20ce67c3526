using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Tests.Architecture.Pages;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// Reads <c>docs/dev/protocol-nexus.md</c>: each rule of the relay's protocol has one row, which names tests that exist and carry its number.
/// </summary>
[Category("Nexus")]
internal sealed partial class NexusConformanceTests
{
    private const int Known = 150;
    private const int Defects = 16;
    private const int Limits = 9;

    private static readonly Row[] Rows =
        [.. File.ReadLines(Repository.File("docs/dev/protocol-nexus.md")).Select(line => RowPattern().Match(line)).Where(m => m.Success)
        .Select(m => new Row(int.Parse(m.Groups["id"].Value, CultureInfo.InvariantCulture), m.Groups["side"].Value, m.Groups["shown"].Value,
            [.. TestPattern().Matches(m.Groups["shown"].Value).Select(t => t.Groups[1].Value)]))];

    private static readonly Dictionary<string, string[]> Tests = (
        from type in typeof(NexusConformanceTests).Assembly.GetTypes()
        from method in type.GetMethods()
        where method.GetCustomAttributes(inherit: true).Any(a => a is TestAttribute or TestCaseAttribute or TestCaseSourceAttribute)
        let categories = type.GetCustomAttributes(inherit: true).Concat(method.GetCustomAttributes(inherit: true)).OfType<CategoryAttribute>()
            .Select(c => c.Name)
        group categories by $"{type.Name}.{method.Name}")
        .ToDictionary(g => g.Key, g => g.SelectMany(c => c).ToArray(), StringComparer.Ordinal);

    [Test]
    public void Table_HasEachRuleOnce()
    {
        Assert.That(Rows.Select(r => r.Id), Is.EqualTo(Enumerable.Range(1, Known)));
        TestContext.Out.WriteLine($"NX shown by tests {Rows.Count(r => r.Tests.Length > 0 && !r.IsNotOffered)}, not offered {Rows.Count(r => r.IsNotOffered)}");
    }

    [Test]
    public void Rows_NameTestsThatExist_AndThatRunUnderNexus()
    {
        var named = Rows.SelectMany(r => r.Tests.Select(t => (r.Id, Test: t))).ToList();

        Assert.That(named.Where(n => !Tests.ContainsKey(n.Test)).Select(n => $"NX-{n.Id}: {n.Test}"), Is.Empty);
        Assert.That(named.Where(n => Tests.TryGetValue(n.Test, out var categories) && !categories.Contains("Nexus")).Select(n => n.Test).Distinct(), Is.Empty,
            "not in the category");
    }

    [Test]
    public void Defects_OfTheReference_AreEachShownByATest()
    {
        var rows = File.ReadLines(Repository.File("docs/dev/protocol-nexus.md")).Select(line => DefectPattern().Match(line)).Where(m => m.Success).ToList();
        var named = rows.SelectMany(m => TestPattern().Matches(m.Value).Select(t => (Id: m.Groups["id"].Value, Test: t.Groups[1].Value))).ToList();

        Assert.That(rows.Select(m => m.Groups["id"].Value), Is.EqualTo(Enumerable.Range(1, Defects).Select(n => $"{n}")));
        Assert.That(named.Select(n => n.Id).Distinct().Count(), Is.EqualTo(Defects));
        Assert.That(named.Where(n => !Tests.TryGetValue(n.Test, out var categories) || !categories.Contains("Nexus")).Select(n => $"D{n.Id}: {n.Test}"),
            Is.Empty);
    }

    [Test]
    public void Limits_OfTheRelay_AreEachShownByTests_OrSayWhatIsNot()
    {
        var limits = ClaimPage.Read("docs/dev/protocol-nexus.md", "what");
        var named = limits.Claims.SelectMany(c => c.Named.Select(test => (c.Id, Test: test)));

        Assert.That(limits.Claims, Has.Length.EqualTo(Limits));
        Assert.That(limits.Faults(), Is.Empty);
        Assert.That(limits.Claims.Where(c => c.State is "open" or "by construction").Select(c => c.Id), Is.Empty);
        Assert.That(named.Where(n => !Tests.TryGetValue(n.Test, out var categories) || !categories.Contains("Nexus")), Is.Empty);
    }

    [Test]
    public void Rows_OfTheBackend_AreAllShown() =>
        Assert.That(Rows.Where(r => r.Side.Contains('B', StringComparison.Ordinal) && r.Tests.Length == 0).Select(r => $"NX-{r.Id}"), Is.Empty);

    private sealed record Row(int Id, string Side, string Shown, string[] Tests)
    {
        public bool IsNotOffered => Shown.StartsWith("not offered", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\| NX-(?<id>\d+) \| (?<side>B|R|BR) \| (?<shown>[^|]+) \| [^|]*\|$")]
    private static partial Regex RowPattern();

    [GeneratedRegex(@"^\| D(?<id>\d+) \| .*\|$")]
    private static partial Regex DefectPattern();

    [GeneratedRegex("`([A-Za-z0-9_]+\\.[A-Za-z0-9_]+)`")]
    private static partial Regex TestPattern();
}
