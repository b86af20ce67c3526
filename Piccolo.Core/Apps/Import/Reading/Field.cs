using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>A key of the compose file, or an item of a list, with its place.</summary>
internal sealed record Field(string Key, string Path, int Line, ManifestNode Value)
{
    public bool IsMerge => Key == ComposeYaml.Merge && Value is ManifestNode.Scalar { IsNull: true };

    public static IEnumerable<Field> Of(ManifestNode.Mapping mapping, string path) =>
        mapping.Entries.Select(e => new Field(e.Key, ComposePath.Join(path, e.Key), e.Place.Line, e.Value));

    /// <summary>The keys of a mapping or the items of a list, with merge keys.</summary>
    public IEnumerable<Field> Children() => Value switch
    {
        ManifestNode.Mapping mapping => Of(mapping, Path),
        ManifestNode.Sequence list => list.Items.Select((item, i) => new Field("", ComposePath.Item(Path, i), item.Place.Line, item)),
        _ => [],
    };

    /// <summary>The keys or items that say something themselves.</summary>
    public IEnumerable<Field> Items() => Children().Where(c => !c.IsMerge);

    public Field? Find(string key) => Value is ManifestNode.Mapping mapping && mapping.Entries.FirstOrDefault(e => e.Key == key) is { } entry
        ? new Field(key, ComposePath.Join(Path, key), entry.Place.Line, entry.Value)
        : null;
}
