using System.Text.Json.Nodes;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>The fields that a mapping may have, and into what part of a draft each goes. Both the reader and the schema come from it.</summary>
/// <param name="isClosed">Whether unknown <c>x-</c> keys are errors too.</param>
internal sealed class FieldTable<T>(bool isClosed = false)
{
    private const string OurOwn = "x-piccolo";
    private const string NotInThisRelease = "This field is not available in this release; remove it.";

    // Enumerates in the order of insertion: nothing is ever removed.
    private readonly Dictionary<string, Field> _fields = new(StringComparer.Ordinal);
    private readonly List<string> _required = [];

    private delegate void FieldReader(string path, ManifestNode value, T draft, ManifestErrorList errors);

    public IReadOnlyCollection<string> Names => _fields.Keys;

    /// <param name="meaning">A sentence for editors.</param>
    /// <param name="orEmpty">Whether an empty list or mapping of any shape is the same as no field: so it was while the field was not available.</param>
    public FieldTable<T> With<V>(string name, Shape<V> shape, Action<T, V> take, string meaning, bool orEmpty = false)
    {
        _fields.Add(name, new Field(Read, () => Described(shape.Describe(), meaning)));
        return this;

        void Read(string path, ManifestNode value, T draft, ManifestErrorList errors)
        {
            if (!(orEmpty && value.IsEmpty) && shape.TryRead(path, value, errors, out var taken)) take(draft, taken);
        }
    }

    /// <summary>Fields that must be there; the rules say what is missing.</summary>
    public FieldTable<T> Requiring(params string[] names)
    {
        _required.AddRange(names);
        return this;
    }

    /// <summary>A mapping whose fields belong to the same draft.</summary>
    public FieldTable<T> Into(string name, FieldTable<T> fields, bool orEmpty = false)
    {
        _fields.Add(name, new Field(Read, fields.Describe));
        return this;

        void Read(string path, ManifestNode value, T draft, ManifestErrorList errors)
        {
            if (!(orEmpty && value.IsEmpty)) fields.ReadNode(path, value, draft, errors);
        }
    }

    /// <summary>What this release could only ignore is refused, so that nobody believes in protection or storage that is not there.</summary>
    public FieldTable<T> NotYet(params string[] names)
    {
        foreach (var name in names) _fields.Add(name, new Field(Read, () => new JsonObject { ["not"] = new JsonObject(), ["description"] = NotInThisRelease }));
        return this;

        static void Read(string path, ManifestNode value, T draft, ManifestErrorList errors)
        {
            if (!value.IsEmpty) errors.Add(path, value.Place, ManifestErrorCodes.NotAvailable, NotInThisRelease);
        }
    }

    /// <summary>All fields of another table, into a part of the draft.</summary>
    public FieldTable<T> Including<TPart>(FieldTable<TPart> other, Func<T, TPart> part)
    {
        foreach (var (name, field) in other._fields)
            _fields.Add(name, new Field((path, value, draft, errors) => field.Read(path, value, part(draft), errors), field.Describe));
        return this;
    }

    public void ReadNode(string path, ManifestNode node, T draft, ManifestErrorList errors)
    {
        if (node is ManifestNode.Mapping mapping) Read(path, mapping, draft, errors);
        else errors.Add(path, node.Place, ManifestErrorCodes.WrongShape, $"A mapping of fields is expected, not {node.Shape}.");
    }

    public void Read(string parent, ManifestNode.Mapping mapping, T draft, ManifestErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var path = FieldPath.Join(parent, entry.Key);
            if (!seen.Add(entry.Key)) errors.Add(path, entry.Place, ManifestErrorCodes.Duplicate, "The field is given twice.");
            else if (_fields.TryGetValue(entry.Key, out var field))
            {
                errors.Place(path, entry.Place);
                // A field without a value is a field that was not given.
                if (entry.Value is not ManifestNode.Scalar { IsNull: true }) field.Read(path, entry.Value, draft, errors);
            }
            else if (entry.Key == OurOwn && entry.Value is ManifestNode.Mapping own)
                foreach (var key in own.Entries) AddUnknown(FieldPath.Join(path, key.Key), key, [], errors);
            else if (isClosed || !entry.Key.StartsWith("x-", StringComparison.Ordinal)) AddUnknown(path, entry, Names, errors);
        }
    }

    /// <summary>In JSON Schema. A new object each time.</summary>
    public JsonObject Describe()
    {
        var properties = new JsonObject();
        foreach (var (name, field) in _fields) properties[name] = field.Describe();
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (_required.Count > 0) schema["required"] = new JsonArray([.. _required.Select(n => JsonValue.Create(n))]);
        if (isClosed) return schema;
        schema["patternProperties"] = new JsonObject { ["^x-"] = true };
        if (!_fields.ContainsKey(OurOwn)) properties[OurOwn] = new JsonObject { ["not"] = new JsonObject { ["type"] = "object", ["minProperties"] = 1 } };
        return schema;
    }

    private static void AddUnknown(string path, ManifestNode.Entry entry, IEnumerable<string> known, ManifestErrorList errors)
    {
        var meant = errors.IsFull ? null : NearestName.Of(entry.Key, known);
        var message = InvisibleCharacters.FirstIn(entry.Key) is { } odd ? $"There is no such field: the name has {odd} in it."
            : meant is not null ? $"There is no such field; '{meant}' is near."
            : "There is no such field.";
        errors.Add(path, entry.Place, ManifestErrorCodes.UnknownField, message, meant);
    }

    private static JsonObject Described(JsonObject schema, string meaning)
    {
        schema["description"] = meaning;
        return schema;
    }

    private sealed record Field(FieldReader Read, Func<JsonObject> Describe);
}
