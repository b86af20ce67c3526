using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Reads <c>docs/owner/apps.md</c>: its examples are valid, it has every field of the reader, and each is taken or refused as the page says.</summary>
internal sealed partial class ManifestPageTests
{
    private const string Refused = "### Not yet";
    private const string RefusedEnd = "So are these values";
    private const string Least = "name: a\nimage: b\nlisteners:\n  - name: c\n    guest_port: 80\n";

    private static readonly string Page = File.ReadAllText(Repository.File("docs/owner/apps.md"));

    /// <summary>The places where a table's fields may belong.</summary>
    private static readonly string[] Places = ["", "listeners.", "healthcheck.", "storage.persistent.data.", "secrets.key."];

    private static IEnumerable<string> Examples => Page.Split("```yaml\n").Skip(1).Select(e => e.Split("```")[0]);

    [TestCaseSource(nameof(Examples))]
    public void Example_IsValidWithoutWarnings(string example)
    {
        var result = AppManifestParser.Parse(example);

        Assert.That(result.Errors, Is.Empty);
        Assert.That(result.Warnings, Is.Empty);
    }

    // What an app can be, in a table of its own.
    private static readonly string[] States = ["installing", "starting", "running", "unhealthy", "stopped", "updating", "failed", "removing"];

    [Test]
    public void Fields_OfTheTables_AreKnown()
    {
        var fields = Page.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).SelectMany(l => Name().Matches(l.Split('|')[1]))
            .Select(m => m.Groups[1].Value).Where(f => f[0] != '.' && f is not ("x-…" or "ok" or "listening" or "app_down" or "bind_failed"))
            .Except(States, StringComparer.Ordinal).ToList();

        Assert.That(fields, Has.Count.GreaterThan(40));
        Assert.That(fields.Where(f => Places.All(p => Errors(p + f).Contains("no such field", StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void Fields_OfTheReader_AreOnThePage()
    {
        var fields = FieldsOf(JsonNode.Parse(ManifestSchema.Json)!).Distinct().ToList();

        Assert.That(fields, Has.Count.GreaterThan(50));
        Assert.That(fields.Where(f => !Regex.IsMatch(Page, $"[`.]{Regex.Escape(f)}[`.]")), Is.Empty);
    }

    [Test]
    public void Fields_ThatThePageCallsRefused_AreRefused()
    {
        var from = Page.IndexOf(Refused, StringComparison.Ordinal);
        var fields = Name().Matches(Page[from..Page.IndexOf(RefusedEnd, from, StringComparison.Ordinal)]).Select(m => m.Groups[1].Value).ToList();

        Assert.That(fields, Has.Count.GreaterThan(20));
        Assert.That(fields.Where(f => !Errors(f).Contains("not available in this release", StringComparison.Ordinal)), Is.Empty);
    }

    private static IEnumerable<string> FieldsOf(JsonNode node) => node switch
    {
        JsonObject place => place.SelectMany(m => m.Value is null ? [] : m.Key == "properties"
            ? m.Value.AsObject().Select(p => p.Key).Concat(m.Value.AsObject().SelectMany(p => FieldsOf(p.Value!)))
            : FieldsOf(m.Value)),
        JsonArray list => list.SelectMany(i => FieldsOf(i!)),
        _ => [],
    };

    /// <summary>What the parser says of a manifest in which the field has a value.</summary>
    private static string Errors(string path)
    {
        var parts = path.Split('.');
        var yaml = parts[0] == "listeners"
            ? Least + string.Concat(parts.Skip(1).Select((part, i) => $"{new string(' ', 4 + 2 * i)}{part}:{(i == parts.Length - 2 ? " [x]" : "")}\n"))
            : Least + string.Concat(parts.Select((part, i) => $"{new string(' ', 2 * i)}{part}:{(i == parts.Length - 1 ? " [x]" : "")}\n"));
        return string.Join('\n', AppManifestParser.Parse(yaml).Errors.Select(e => e.Message));
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();
}
