using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Reads <c>docs/owner/apps.md</c>: its example is valid, and each field is taken or refused as the page says.</summary>
internal sealed partial class ManifestPageTests
{
    private const string Refused = "Fields of the app specification that this release does not have are refused";
    private const string Least = "name: a\nimage: b\nlisteners:\n  - name: c\n    guest_port: 80\n";

    private static readonly string Page = File.ReadAllText(Repository.File("docs/owner/apps.md"));

    [Test]
    public void Example_IsValid()
    {
        var example = Page.Split("```yaml\n")[1].Split("```")[0];

        Assert.That(AppManifestParser.Parse(example).Errors, Is.Empty);
    }

    [Test]
    public void Fields_OfTheTables_AreKnown()
    {
        var fields = Page.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => Name().Match(l).Groups[1].Value)
            .Where(f => f is not ("x-…" or "ok" or "listening" or "app_down" or "bind_failed")).ToList();

        Assert.That(fields, Has.Count.GreaterThan(12));
        Assert.That(fields.Where(f => Errors(f).Contains("no such field", StringComparison.Ordinal)
            && Errors($"listeners.{f}").Contains("no such field", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Fields_ThatThePageCallsRefused_AreRefused()
    {
        var from = Page.IndexOf(Refused, StringComparison.Ordinal);
        var fields = Name().Matches(Page[from..Page.IndexOf("\n\n", from, StringComparison.Ordinal)]).Select(m => m.Groups[1].Value).ToList();

        Assert.That(fields, Has.Count.GreaterThan(10));
        Assert.That(fields.Where(f => !Errors(f == "protocol_middleware" ? $"listeners.{f}" : f)
            .Contains("not available in this release", StringComparison.Ordinal)), Is.Empty);
    }

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
