using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Reads <c>THIRD-PARTY-NOTICES.md</c>: it names every package that the product's lock files have, and every file that it says is here.</summary>
internal sealed partial class ThirdPartyNoticesTests
{
    private static readonly string[] Rows =
        [.. File.ReadLines(Repository.File("THIRD-PARTY-NOTICES.md")).Select(l => RowPattern().Match(l)).Where(m => m.Success).Select(m => m.Groups[1].Value)];

    [Test]
    public void Packages_OfTheProduct_AreNamed()
    {
        var locked = from project in new[] { "Piccolo.Api", "Piccolo.Core" }
                     from framework in JsonNode.Parse(File.ReadAllText(Repository.File($"{project}/packages.lock.json")))!["dependencies"]!.AsObject()
                     from package in framework.Value!.AsObject()
                     where (string?)package.Value!["type"] != "Project"
                     select package.Key;

        Assert.That(Rows.Where(r => !r.Contains('/')), Is.EquivalentTo(locked.Distinct()));
    }

    [Test]
    public void Files_ThatAreNamed_AreHere()
    {
        var files = Rows.Where(r => r.Contains('/')).ToList();

        Assert.That(files, Is.Not.Empty);
        Assert.That(files.Where(f => !File.Exists(Repository.File(f))), Is.Empty);
    }

    [GeneratedRegex("^\\| `([^`]+)` \\|")]
    private static partial Regex RowPattern();
}
