using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>Items in their order.</summary>
/// <param name="min">For the schema; the rules say what is missing.</param>
internal sealed class ListShape<T>(Shape<T> item, int max, int min = 0) : Shape<List<T>>
{
    public override List<T> Blank => [];

    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out List<T> value)
    {
        value = null;
        if (node is not ManifestNode.Sequence { Items: var items })
            errors.Add(path, node.Place, ManifestErrorCodes.WrongShape, $"A list is expected, not {node.Shape}.");
        else if (items.Count > max) errors.Add(path, node.Place, ManifestErrorCodes.OutOfRange, $"The list has more than {max} entries.");
        else value = [.. items.Select((it, i) => ReadItem($"{path}[{i}]", it, errors))];
        return value is not null;
    }

    public override JsonObject Describe()
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = item.Describe(), ["maxItems"] = max };
        if (min > 0) schema["minItems"] = min;
        return schema;
    }

    private T ReadItem(string path, ManifestNode node, ManifestErrorList errors)
    {
        errors.Place(path, node.Place);
        return item.TryRead(path, node, errors, out var value) ? value : item.Blank;
    }
}

/// <summary>Values under names of the author's own, in their order.</summary>
/// <param name="key">What a name looks like, for the schema; the rules check it.</param>
/// <param name="min">For the schema; the rules say what is missing.</param>
/// <param name="thing">What stands under a name, in words: "The variable is given twice."</param>
internal sealed class MapShape<T>(TextShape key, Shape<T> item, int max, string thing, int min = 0) : Shape<List<KeyValuePair<string, T>>>
{
    public override bool TryRead(
        string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out List<KeyValuePair<string, T>> value)
    {
        value = null;
        if (node is not ManifestNode.Mapping { Entries: var entries })
        {
            errors.Add(path, node.Place, ManifestErrorCodes.WrongShape, $"A mapping of names to values is expected, not {node.Shape}.");
            return false;
        }
        if (entries.Count > max)
        {
            errors.Add(path, node.Place, ManifestErrorCodes.OutOfRange, $"There are more than {max} entries.");
            return false;
        }
        value = [];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            var place = FieldPath.Join(path, entry.Key);
            errors.Place(place, entry.Place);
            if (!seen.Add(entry.Key)) errors.Add(place, entry.Place, ManifestErrorCodes.Duplicate, $"The {thing} is given twice.");
            // What is there with a wrong value is there all the same: others may refer to it.
            else if (item.TryRead(place, entry.Value, errors, out var one)) value.Add(new(entry.Key, one));
            else if (item.Blank is { } blank) value.Add(new(entry.Key, blank));
        }
        return true;
    }

    public override JsonObject Describe()
    {
        var names = key.Describe();
        names.Remove("type");
        var schema = new JsonObject { ["type"] = "object", ["propertyNames"] = names, ["additionalProperties"] = item.Describe(), ["maxProperties"] = max };
        if (min > 0) schema["minProperties"] = min;
        return schema;
    }
}

/// <summary>A mapping of fields.</summary>
internal sealed class ObjectShape<T>(FieldTable<T> fields) : Shape<T> where T : new()
{
    public override T Blank => new();

    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out T value)
    {
        value = new T();
        // In a list or under a name, nothing at all is a mapping without fields.
        if (node is not ManifestNode.Scalar { IsNull: true }) fields.ReadNode(path, node, value, errors);
        return true;
    }

    public override JsonObject Describe() => fields.Describe();
}

/// <summary>A single value as the short form of something longer.</summary>
/// <param name="convert">The value of the short form, or why it is none.</param>
internal sealed class ShortFormShape<T>(TextShape shortForm, Func<string, (T? Value, string? Error)> convert, Shape<T> longForm) : Shape<T> where T : class
{
    public override T Blank => longForm.Blank;

    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out T value)
    {
        if (node is not ManifestNode.Scalar { IsNull: false } scalar) return longForm.TryRead(path, node, errors, out value);
        (value, var error) = convert(scalar.Text);
        if (value is null) errors.Add(path, node.Place, ManifestErrorCodes.InvalidValue, error!);
        return value is not null;
    }

    public override JsonObject Describe() => new() { ["anyOf"] = new JsonArray(shortForm.Describe(), longForm.Describe()) };
}
