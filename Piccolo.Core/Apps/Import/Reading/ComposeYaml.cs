using System.Globalization;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>
/// Reads YAML from anybody into a bounded tree. Aliases and merge keys are written out, and what they add counts against the same bounds: a small text cannot
/// grow into a huge tree.
/// </summary>
internal sealed class ComposeYaml
{
    public const int MaxDepth = 16;
    public const int MaxNodes = 4096;
    public const int MaxKeyLength = 256;

    /// <summary>The key by which the fields of another mapping are taken over. It stays in the tree, without a value, to be reported.</summary>
    public const string Merge = "<<";

    private readonly Parser _parser;
    private readonly Dictionary<string, Anchored> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    private ComposeYaml(string text) => _parser = new Parser(new Scanner(new StringReader(text)));

    /// <exception cref="ImportFaultException">The text is no mapping within the bounds.</exception>
    public static ManifestNode.Mapping Read(string text, string path = ComposePath.Document)
    {
        if (text.StartsWith('\uFEFF')) text = text[1..];
        try
        {
            return new ComposeYaml(text).ReadDocument(path);
        }
        catch (YamlException e)
        {
            // The library's sentence can quote the text, which may hold secrets, so ours names the place only.
            var at = LineOf(e.Start);
            var (line, reason) = InvisibleCharacters.InIndentation(text) ?? InvisibleCharacters.AtLine(text, at) ?? (at, "The text is not valid YAML here.");
            throw new ImportFaultException(path, line, reason);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // YamlDotNet's scanner meets some broken texts with exceptions of its own internals.
            var (line, reason) = InvisibleCharacters.InIndentation(text) ?? (1, "The text is not valid YAML.");
            throw new ImportFaultException(path, line, reason);
        }
    }

    private ManifestNode.Mapping ReadDocument(string path)
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _)) throw new ImportFaultException(path, 1, "The file is empty.");
        var (root, _) = ReadNode(depth: 1);
        _parser.Consume<DocumentEnd>();
        if (!_parser.TryConsume<StreamEnd>(out _))
            throw new ImportFaultException(path, LineOf(_parser.Current!.Start), "The file holds more than one document.");
        return root as ManifestNode.Mapping ?? throw new ImportFaultException(path, root.Place.Line,
            root.IsEmpty ? "The file is empty." : $"A compose file is a mapping of fields, not {root.Shape}.");
    }

    /// <returns>The node, and how many levels it has.</returns>
    private (ManifestNode Node, int Height) ReadNode(int depth)
    {
        var place = Place(_parser.Current?.Start ?? Mark.Empty);
        if (depth > MaxDepth) throw Fault(place, $"The text is nested more than {MaxDepth} levels deep.");
        if (_parser.TryConsume<AnchorAlias>(out var alias)) return Aliased(alias.Value.Value, place, depth);
        Count(1, place);
        var anchor = _parser.Current is NodeEvent { Anchor.IsEmpty: false } named ? named.Anchor.Value : null;
        var isText = _parser.Current is NodeEvent { Tag.IsEmpty: false } tagged && IsTextTag(tagged.Tag, place);
        var before = _nodes;
        // An anchor is known only behind its own node: nothing can hold itself.
        var (node, height) = ReadContent(place, depth, isText);
        if (anchor is not null) _anchors[anchor] = new Anchored(node, _nodes - before + 1, height);
        return (node, height);
    }

    private (ManifestNode Node, int Height) ReadContent(TextPlace place, int depth, bool isText)
    {
        if (_parser.TryConsume<Scalar>(out var scalar))
            return (new ManifestNode.Scalar(place, References.Clean(scalar.Value), scalar.Style == ScalarStyle.Plain && !isText), 1);
        return _parser.TryConsume<SequenceStart>(out _) ? ReadSequence(place, depth) : ReadMapping(place, depth);
    }

    private (ManifestNode Node, int Height) Aliased(string name, TextPlace place, int depth)
    {
        if (!_anchors.TryGetValue(name, out var target)) throw Fault(place, "An alias (*) names an anchor (&) that is not above it.");
        Count(target.Size, place);
        if (depth + target.Height - 1 > MaxDepth) throw Fault(place, $"The text is nested more than {MaxDepth} levels deep.");
        return (target.Node, target.Height);
    }

    private (ManifestNode Node, int Height) ReadSequence(TextPlace place, int depth)
    {
        var items = new List<ManifestNode>();
        var height = 0;
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            var (item, levels) = ReadNode(depth + 1);
            items.Add(item);
            height = Math.Max(height, levels);
        }
        return (new ManifestNode.Sequence(place, items), height + 1);
    }

    private (ManifestNode Node, int Height) ReadMapping(TextPlace place, int depth)
    {
        _parser.Consume<MappingStart>();
        var entries = new List<ManifestNode.Entry>();
        var merged = new List<ManifestNode.Mapping>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var height = 0;
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (ReadNode(depth + 1).Node is not ManifestNode.Scalar key) throw Fault(place, "A field's name is a single value.");
            if (key.Text.Length > MaxKeyLength) throw Fault(key.Place, $"A field's name has more than {MaxKeyLength} characters.");
            if (!keys.Add(key.Text)) throw Fault(key.Place, "A field is given twice.");
            var (value, levels) = ReadNode(depth + 1);
            height = Math.Max(height, levels);
            if (key is { IsPlain: true, Text: Merge })
            {
                merged.AddRange(MergedBy(value));
                value = new ManifestNode.Scalar(value.Place, "", IsPlain: true);
            }
            entries.Add(new ManifestNode.Entry(key.Text, key.Place, value));
        }
        // What is written here wins, and of several that are merged the first one.
        foreach (var entry in merged.SelectMany(m => m.Entries).Where(e => e.Key != Merge && keys.Add(e.Key)))
        {
            Count(SizeOf(entry.Value) + 1, place);
            entries.Add(entry);
        }
        return (new ManifestNode.Mapping(place, entries), height + 1);
    }

    private static IEnumerable<ManifestNode.Mapping> MergedBy(ManifestNode value) => value switch
    {
        ManifestNode.Mapping mapping => [mapping],
        ManifestNode.Sequence list when list.Items.All(i => i is ManifestNode.Mapping) => list.Items.Cast<ManifestNode.Mapping>(),
        _ => throw Fault(value.Place, "What is merged by '<<' is a mapping, or a list of mappings."),
    };

    private static int SizeOf(ManifestNode node) => node switch
    {
        ManifestNode.Sequence list => 1 + list.Items.Sum(SizeOf),
        ManifestNode.Mapping mapping => 1 + mapping.Entries.Sum(e => 1 + SizeOf(e.Value)),
        _ => 1,
    };

    private void Count(int nodes, TextPlace place)
    {
        _nodes += nodes;
        if (_nodes > MaxNodes)
            throw Fault(place, string.Create(CultureInfo.InvariantCulture, $"The text has more than {MaxNodes} values, with those of its aliases."));
    }

    /// <summary>Of the language's own tags only that of texts says something here.</summary>
    private static bool IsTextTag(TagName tag, TextPlace place)
    {
        if (tag.IsNonSpecific) return true;
        return tag.Value.StartsWith("tag:yaml.org,2002:", StringComparison.Ordinal)
            ? tag.Value.EndsWith(":str", StringComparison.Ordinal)
            : throw Fault(place, "Tags such as !reset and !override change another file, and are not accepted.");
    }

    private static ImportFaultException Fault(TextPlace place, string sentence) => new(ComposePath.Document, place.Line, sentence);

    private static TextPlace Place(Mark mark) => new(LineOf(mark), (int)Math.Clamp((long)mark.Column, 1, int.MaxValue));

    private static int LineOf(Mark mark) => (int)Math.Clamp((long)mark.Line, 1, int.MaxValue);

    private sealed record Anchored(ManifestNode Node, int Size, int Height);
}
