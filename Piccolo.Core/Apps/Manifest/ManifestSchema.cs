using System.Text.Json.Nodes;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>
/// The manifest's JSON Schema, for editors and programs that write manifests. It comes from the reader's own tables of fields. What needs more than one field
/// to be seen, such as circles, only the validation finds.
/// </summary>
public static class ManifestSchema
{
    public const string ContentType = "application/schema+json";

    private static readonly Lazy<string> Text = new(() => Build().ToJsonString());

    /// <summary>The same on every appliance of a release.</summary>
    public static string Json => Text.Value;

    private static JsonObject Build()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = $"urn:piccolo:manifest:{ManifestLimits.Schema}",
            ["title"] = "The manifest of an app",
        };
        foreach (var (name, value) in AppFields.Table.Describe()) schema[name] = value?.DeepClone();
        schema["oneOf"] = new JsonArray(Needs("image"), Needs("services"));
        ((JsonObject)schema["properties"]!["services"]!["additionalProperties"]!)["required"] = new JsonArray("image");
        return schema;
    }

    private static JsonObject Needs(string field) => new() { ["required"] = new JsonArray(field) };
}
