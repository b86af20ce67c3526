using System.Text.Json.Nodes;
using CsCheck;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>Values that a schema allows. Texts with a pattern are its examples.</summary>
internal static class SchemaInstances
{
    private const int MaxMembers = 3;

    public static JsonNode? Draw(JsonNode schema, Random random)
    {
        if (schema["anyOf"] is JsonArray forms) return Draw(forms[random.Next(forms.Count)]!, random);
        if (schema["enum"] is JsonArray words) return words[random.Next(words.Count)]!.DeepClone();
        var type = schema["type"] is JsonArray types ? (string)types[random.Next(types.Count)]! : (string)schema["type"]!;
        return type switch
        {
            "object" => DrawObject(schema, random),
            "array" => new JsonArray([.. Enumerable.Range(1, random.Next(1, MaxMembers + 1)).Select(_ => Draw(schema["items"]!, random))]),
            "integer" => random.NextInt64((long)schema["minimum"]!, (long)schema["maximum"]! + 1),
            "number" => random.Next(2, 60),
            "boolean" => random.Next(2) == 0,
            _ => schema["examples"] is JsonArray examples ? examples[random.Next(examples.Count)]!.DeepClone() : "word",
        };
    }

    private static JsonObject DrawObject(JsonNode schema, Random random)
    {
        var result = new JsonObject();
        var required = schema["required"]?.AsArray().Select(n => (string)n!).ToList() ?? [];
        if (schema["oneOf"] is JsonArray forms) required.Add((string)forms[random.Next(forms.Count)]!["required"]![0]!);
        foreach (var (name, member) in schema["properties"]?.AsObject() ?? [])
        {
            var isRefused = member!["not"] is not null;
            var isOtherForm = schema["oneOf"] is not null && name is "image" or "services" && !required.Contains(name);
            if (!isRefused && !isOtherForm && (required.Contains(name) || random.Next(3) == 0)) result[name] = Draw(member, random);
        }
        if (schema["propertyNames"] is { } names)
            foreach (var i in Enumerable.Range(0, random.Next(1, MaxMembers + 1)))
                result[(string?)names["examples"]?[0] is { } example ? $"{example}{i}" : $"n{i}"] = Draw(schema["additionalProperties"]!, random);
        return result;
    }

    /// <summary>Instances in a sequence that the seed of the run decides.</summary>
    public static Gen<JsonNode> Of(JsonNode schema) => Gen.Int.Select(seed => Draw(schema, new Random(seed))!);
}
