using Piccolo.Core.Apps.Manifest.Notation;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>
/// Reads YAML from anybody into a bounded tree. Anchors and aliases, by which a small text grows into a huge one, tags and several documents are
/// refused: no manifest needs them.
/// </summary>
internal sealed class ManifestYaml
{
    public const int MaxDepth = 16;
    public const int MaxNodes = 4096;

    private readonly Parser _parser;
    private int _nodes;

    private ManifestYaml(string text) => _parser = new Parser(new Scanner(new StringReader(text)));

    /// <summary>The document's mapping, or null with at least one error added.</summary>
    public static ManifestNode.Mapping? Read(string text, ManifestErrorList errors)
    {
        try
        {
            return new ManifestYaml(text).ReadDocument(errors);
        }
        catch (RefusedException e)
        {
            errors.Add(ManifestError.Document, e.Place, ManifestErrorCodes.Syntax, e.Message);
        }
        catch (YamlException e)
        {
            // The library's sentence can quote the text, which may hold secrets, so ours names the place only.
            var place = Place(e.Start);
            var (line, reason) = InvisibleCharacters.InIndentation(text) ?? InvisibleCharacters.AtLine(text, place.Line)
                ?? (place.Line, $"The text is not valid YAML at column {place.Column}.");
            errors.Add(ManifestError.Document, place with { Line = line }, ManifestErrorCodes.Syntax, reason);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // YamlDotNet's scanner meets some broken texts with exceptions of its own internals (seen: a plain scalar cut by a control character).
            var (line, reason) = InvisibleCharacters.InIndentation(text) ?? (1, "The text is not valid YAML.");
            errors.Add(ManifestError.Document, new TextPlace(line, 1), ManifestErrorCodes.Syntax, reason);
        }
        return null;
    }

    private ManifestNode.Mapping? ReadDocument(ManifestErrorList errors)
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _)) throw new RefusedException(TextPlace.Start, "The manifest is empty.");
        var root = ReadNode(depth: 1);
        _parser.Consume<DocumentEnd>();
        if (!_parser.TryConsume<StreamEnd>(out _)) throw new RefusedException(Place(_parser.Current!.Start), "The text holds more than one document.");
        if (root is ManifestNode.Mapping mapping) return mapping;
        var message = root.IsEmpty ? "The manifest is empty." : $"A manifest is a mapping of fields, not {root.Shape}.";
        errors.Add(ManifestError.Document, root.Place, ManifestErrorCodes.WrongShape, message);
        return null;
    }

    private ManifestNode ReadNode(int depth)
    {
        var place = Place(_parser.Current?.Start ?? Mark.Empty);
        if (depth > MaxDepth) throw new RefusedException(place, $"The text is nested more than {MaxDepth} levels deep.");
        if (++_nodes > MaxNodes) throw new RefusedException(place, $"The text has more than {MaxNodes} values.");
        if (_parser.Current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
            throw new RefusedException(place, "Anchors (&) and aliases (*) are not accepted: write the value out.");
        if (_parser.Current is NodeEvent { Tag.IsEmpty: false }) throw new RefusedException(place, "Tags (!) are not accepted.");
        if (_parser.TryConsume<Scalar>(out var scalar)) return new ManifestNode.Scalar(place, scalar.Value, scalar.Style == ScalarStyle.Plain);
        return _parser.TryConsume<SequenceStart>(out _) ? ReadSequence(place, depth) : ReadMapping(place, depth);
    }

    private ManifestNode.Sequence ReadSequence(TextPlace place, int depth)
    {
        var items = new List<ManifestNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode(depth + 1));
        return new ManifestNode.Sequence(place, items);
    }

    private ManifestNode.Mapping ReadMapping(TextPlace place, int depth)
    {
        _parser.Consume<MappingStart>();
        var entries = new List<ManifestNode.Entry>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (ReadNode(depth + 1) is not ManifestNode.Scalar key) throw new RefusedException(place, "A field's name is a single value.");
            entries.Add(new ManifestNode.Entry(key.Text, key.Place, ReadNode(depth + 1)));
        }
        return new ManifestNode.Mapping(place, entries);
    }

    private static TextPlace Place(Mark mark) =>
        new((int)Math.Clamp((long)mark.Line, 1, int.MaxValue), (int)Math.Clamp((long)mark.Column, 1, int.MaxValue));

    private sealed class RefusedException(TextPlace place, string message) : Exception(message)
    {
        public TextPlace Place { get; } = place;
    }
}
