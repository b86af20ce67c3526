using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>What a value looks like: takes it out of the text, and describes it in JSON Schema. What the value may be is for the rules.</summary>
internal abstract class Shape<T>
{
    /// <summary>Stands in a list for an item that could not be read, so that the others keep their numbers.</summary>
    public virtual T Blank => default!;

    /// <returns>False, with an error added, where the value looks otherwise.</returns>
    public abstract bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out T value);

    /// <summary>A new object each time.</summary>
    public abstract JsonObject Describe();
}

/// <summary>A single value, quoted or not.</summary>
internal sealed class TextShape : Shape<string>
{
    /// <summary>Of the whole value, in the part of regular expressions that .NET and ECMAScript share, without anchors.</summary>
    public string? Pattern { get; init; }

    public string[]? Words { get; init; }

    public int? MaxLength { get; init; }

    /// <summary>What a plain value that is right looks like to JSON Schema: <c>8080</c> is a number there, and <c>true</c> a boolean.</summary>
    public string[] Types { get; init; } = ["string"];

    public string[] Examples { get; init; } = [];

    public override string Blank => "";

    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out string value)
    {
        value = (node as ManifestNode.Scalar)?.Text;
        if (value is not null && !((ManifestNode.Scalar)node).IsNull) return true;
        errors.Add(path, node.Place, ManifestErrorCodes.WrongShape,
            $"A single value is expected, not {(node is ManifestNode.Scalar ? "nothing" : node.Shape)}.");
        return false;
    }

    public override JsonObject Describe()
    {
        var schema = new JsonObject { ["type"] = Types is [var type] ? type : new JsonArray([.. Types.Select(t => JsonValue.Create(t))]) };
        if (Pattern is not null) schema["pattern"] = $"^(?:{Pattern})$";
        if (Words is not null) schema["enum"] = new JsonArray([.. Words.Select(w => JsonValue.Create(w))]);
        if (MaxLength is { } length) schema["maxLength"] = length;
        if (Examples.Length > 0) schema["examples"] = new JsonArray([.. Examples.Select(e => JsonValue.Create(e))]);
        return schema;
    }
}

/// <summary>The value of a variable: as <see cref="TextShape"/>, but what is missing is probably meant to be empty.</summary>
internal sealed class VariableShape(int maxLength) : Shape<string>
{
    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, [MaybeNullWhen(false)] out string value)
    {
        value = node is ManifestNode.Scalar { IsNull: false } scalar ? scalar.Text : null;
        if (value is not null) return true;
        errors.Add(path, node.Place, ManifestErrorCodes.WrongShape, "A single value is expected; an empty one is written \"\".");
        return false;
    }

    public override JsonObject Describe() => new() { ["type"] = new JsonArray("string", "number", "boolean"), ["maxLength"] = maxLength };
}

/// <summary>A whole number without quotes.</summary>
internal sealed class NumberShape(int min, int max) : Shape<int>
{
    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, out int value)
    {
        value = 0;
        if (node is ManifestNode.Scalar { IsPlain: true } scalar && int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out value))
            return true;
        errors.Add(path, node.Place, ManifestErrorCodes.WrongShape, "A whole number without quotes is expected.");
        return false;
    }

    public override JsonObject Describe() => new() { ["type"] = "integer", ["minimum"] = min, ["maximum"] = max };
}

/// <summary><c>true</c> or <c>false</c> without quotes.</summary>
/// <param name="isOnlyTrue">For the schema: whether <c>false</c> says nothing; the rules refuse it.</param>
internal sealed class SwitchShape(bool isOnlyTrue = false) : Shape<bool>
{
    public override bool TryRead(string path, ManifestNode node, ManifestErrorList errors, out bool value)
    {
        var text = node is ManifestNode.Scalar { IsPlain: true } scalar ? scalar.Text : null;
        value = text is "true" or "True" or "TRUE";
        if (value || text is "false" or "False" or "FALSE") return true;
        errors.Add(path, node.Place, ManifestErrorCodes.WrongShape, "Either true or false is expected, without quotes.");
        return false;
    }

    public override JsonObject Describe() => isOnlyTrue ? new() { ["enum"] = new JsonArray(true) } : new() { ["type"] = "boolean" };
}
