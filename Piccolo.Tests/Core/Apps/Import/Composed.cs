using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Piccolo.Core.Apps.Import;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Imports small compose files, and checks of each what holds of all.</summary>
internal static class Composed
{
    public static ImportResult Import(string compose, string? environment = null, params (string Name, string Text)[] companions)
    {
        var source = new ImportSource(compose)
        {
            Environment = environment,
            Companions = companions.ToImmutableDictionary(c => c.Name, c => c.Text, StringComparer.Ordinal),
        };
        var result = ComposeImporter.Import(source);
        AssertSound(result);
        Assert.That(ComposeImporter.Import(source).Manifest, Is.EqualTo(result.Manifest), "the same file, other bytes");
        return result;
    }

    /// <summary>A file of one service <c>web</c> with a port.</summary>
    public static ImportResult Web(string fields, string? environment = null) =>
        Import($"services:\n  web:\n    image: a/web:1\n    ports: ['80:8080']\n    {fields.Replace("\n", "\n    ", StringComparison.Ordinal)}\n", environment);

    /// <summary>The manifest written out in full.</summary>
    public static JsonObject Manifest(this ImportResult result) => NormalManifest.Write(AppManifestParser.Parse(result.Manifest!).Manifest!);

    public static JsonNode? Service(this ImportResult result, string name = "web") => result.Manifest()["services"]![name];

    public static ImportLine Line(this ImportResult result, string path) =>
        result.Report.FirstOrDefault(l => l.Path == path) ?? throw new AssertionException($"no line '{path}' in:\n{string.Join('\n', result.Report)}");

    public static void AssertSound(ImportResult result)
    {
        if (result.Manifest is not null)
            Assert.That(AppManifestParser.Parse(result.Manifest).Errors, Is.Empty, result.Manifest);
        Assert.That(result.Report.GroupBy(l => l.Path).Where(g => g.Count() > 1).Select(g => g.Key), Is.Empty, "a key has two lines");
        Assert.That(result.Outcome == ImportOutcome.Refused, Is.EqualTo(result.Refusals.Any()), "the outcome is not that of the report");
        Assert.That(result.Manifest is not null || result.Outcome == ImportOutcome.Refused, "no manifest, and no reason");
    }
}
