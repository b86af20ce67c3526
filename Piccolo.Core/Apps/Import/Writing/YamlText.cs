using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Apps.Import.Writing;

/// <summary>Writes a tree of mappings, lists and single values as YAML that people read.</summary>
internal static partial class YamlText
{
    private const int Step = 2;

    public static string Write(JsonObject root)
    {
        var text = new StringBuilder();
        Mapping(text, root, 0);
        return text.ToString();
    }

    /// <summary>A text between double quotes, as YAML and JSON both read it.</summary>
    public static string Quoted(string text)
    {
        var result = new StringBuilder(text.Length + 2).Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) result.Append(c).Append(text[++i]);
            else if (c is '"' or '\\') result.Append('\\').Append(c);
            else if (c == '\n') result.Append("\\n");
            else if (c == '\t') result.Append("\\t");
            // Half of a surrogate pair is no character: nothing could write it as UTF-8.
            else if (char.IsSurrogate(c)) result.Append('\uFFFD');
            else if (c < ' ' || (c > '~' && !char.IsLetter(c) && !char.IsPunctuation(c) && !char.IsSymbol(c)))
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else result.Append(c);
        }
        return result.Append('"').ToString();
    }

    private static void Mapping(StringBuilder text, JsonObject mapping, int indent)
    {
        foreach (var (key, value) in mapping)
        {
            text.Append(' ', indent).Append(Scalar(key)).Append(':');
            Value(text, value, indent);
        }
    }

    private static void Value(StringBuilder text, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } mapping:
                text.Append('\n');
                Mapping(text, mapping, indent + Step);
                break;
            case JsonArray { Count: > 0 } list:
                text.Append('\n');
                foreach (var item in list) Item(text, item, indent + Step);
                break;
            default:
                text.Append(' ').Append(Single(value)).Append('\n');
                break;
        }
    }

    private static void Item(StringBuilder text, JsonNode? item, int indent)
    {
        if (item is not JsonObject { Count: > 0 } mapping)
        {
            text.Append(' ', indent).Append("- ").Append(Single(item)).Append('\n');
            return;
        }
        var from = text.Length;
        Mapping(text, mapping, indent + Step);
        // The first field stands behind the dash.
        text[from + indent] = '-';
    }

    private static string Single(JsonNode? value) => value switch
    {
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue single when single.GetValueKind() == JsonValueKind.String => Scalar(single.GetValue<string>()),
        null => "null",
        _ => value.ToJsonString(),
    };

    /// <summary>Without quotes where nothing in it can be taken for anything else.</summary>
    private static string Scalar(string text) => PlainPattern().IsMatch(text) && !WordPattern().IsMatch(text) ? text : Quoted(text);

    [GeneratedRegex(@"^(?:(?:[A-Za-z/]|--?[a-z])[A-Za-z0-9_./:@=-]{0,200}(?<!:)|[0-9]+(?:s|[KMGT]B))\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainPattern();

    [GeneratedRegex(@"^(?:true|false|null|yes|no|on|off|y|n)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex WordPattern();
}
