using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>As much of JSON Schema 2020-12 as the manifest's schema uses; any other keyword is an error of the schema.</summary>
internal static class SchemaCheck
{
    private static readonly string[] Annotations = ["$schema", "$id", "title", "description", "examples"];

    /// <summary>Where the value differs from the schema; empty = valid.</summary>
    public static IEnumerable<string> Errors(JsonNode schema, JsonNode? value, string path = "$")
    {
        if (schema is JsonValue plain) return plain.GetValue<bool>() ? [] : [$"{path}: nothing is allowed here"];
        return schema.AsObject().Where(k => !Annotations.Contains(k.Key)).SelectMany(k => Errors(schema.AsObject(), k.Key, k.Value!, value, path));
    }

    private static IEnumerable<string> Errors(JsonObject schema, string keyword, JsonNode operand, JsonNode? value, string path)
    {
        switch (keyword)
        {
            case "type":
                var types = operand is JsonArray several ? several.Select(t => (string)t!) : [(string)operand!];
                return If(!types.Contains(TypeOf(value)) && !(TypeOf(value) == "integer" && types.Contains("number")), $"{path}: is a {TypeOf(value)}");
            case "enum":
                return If(!operand.AsArray().Any(e => JsonNode.DeepEquals(e, value)), $"{path}: is none of the words");
            case "pattern":
                return value is JsonValue text && TypeOf(text) == "string"
                    ? If(!Regex.IsMatch((string)text!, (string)operand!, RegexOptions.ECMAScript), $"{path}: does not match {operand}") : [];
            case "minimum":
                return TypeOf(value) == "integer" ? If(Number(value) < Number(operand), $"{path}: is too small") : [];
            case "maximum":
                return TypeOf(value) == "integer" ? If(Number(value) > Number(operand), $"{path}: is too large") : [];
            case "maxLength":
                return TypeOf(value) == "string" ? If(((string)value!).Length > (int)operand, $"{path}: is too long") : [];
            case "minItems":
                return value is JsonArray few ? If(few.Count < (int)operand, $"{path}: has too few items") : [];
            case "maxItems":
                return value is JsonArray many ? If(many.Count > (int)operand, $"{path}: has too many items") : [];
            case "items":
                return value is JsonArray list ? list.SelectMany((item, i) => Errors(operand, item, $"{path}[{i}]")) : [];
            case "minProperties":
                return value is JsonObject small ? If(small.Count < (int)operand, $"{path}: has too few members") : [];
            case "maxProperties":
                return value is JsonObject large ? If(large.Count > (int)operand, $"{path}: has too many members") : [];
            case "propertyNames":
                return value is JsonObject named ? named.SelectMany(m => Errors(operand, m.Key, $"{path}.{m.Key} (name)")) : [];
            case "properties":
                return value is JsonObject known
                    ? known.Where(m => operand[m.Key] is not null).SelectMany(m => Errors(operand[m.Key]!, m.Value, $"{path}.{m.Key}")) : [];
            case "patternProperties":
                return value is JsonObject matching
                    ? from m in matching
                      from p in operand.AsObject()
                      where Regex.IsMatch(m.Key, p.Key)
                      from error in Errors(p.Value!, m.Value, $"{path}.{m.Key}")
                      select error
                    : [];
            case "additionalProperties":
                return value is JsonObject others
                    ? others.Where(m => schema["properties"]?[m.Key] is null
                            && schema["patternProperties"]?.AsObject().Any(p => Regex.IsMatch(m.Key, p.Key)) is not true)
                        .SelectMany(m => Errors(operand, m.Value, $"{path}.{m.Key}")) : [];
            case "required":
                return value is JsonObject whole ? operand.AsArray().Where(n => !whole.ContainsKey((string)n!)).Select(n => $"{path}: {n} is missing") : [];
            case "not":
                return If(!Errors(operand, value, path).Any(), $"{path}: is what it must not be");
            case "anyOf":
                return If(operand.AsArray().All(s => Errors(s!, value, path).Any()), $"{path}: is none of the forms");
            case "oneOf":
                return If(operand.AsArray().Count(s => !Errors(s!, value, path).Any()) != 1, $"{path}: is not exactly one of the forms");
            default:
                return [$"{path}: the schema has the unknown keyword {keyword}"];
        }
    }

    private static string TypeOf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        _ => value.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            _ => value.AsValue().TryGetValue<int>(out _) || value.AsValue().TryGetValue<long>(out _) ? "integer" : "number",
        },
    };

    // A number that was made here and one that was parsed are of different types.
    private static long Number(JsonNode? value) => long.Parse(value!.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> If(bool isWrong, string error) => isWrong ? [error] : [];
}
