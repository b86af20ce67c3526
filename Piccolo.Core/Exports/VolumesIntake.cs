using System.Formats.Tar;
using System.Text.Json;
using Piccolo.Core.Exports.Trees;

namespace Piccolo.Core.Exports;

/// <summary>
/// The volumes of one import: each that the contents name comes once, whole, with the digest that it was written with; nothing else comes.
/// </summary>
internal sealed class VolumesIntake(string folder, TreeLimits limits) : IDisposable
{
    private readonly HashSet<string> _missing = new(StringComparer.Ordinal);
    private string? _name;
    private TreeReader? _tree;
    private long _entries;

    public void Begin(ExportContents contents)
    {
        foreach (var volume in contents.Volumes) _missing.Add(ExportContent.VolumePrefix + volume.Id);
        if (_missing.Count > 0) Directory.CreateDirectory(Path.Combine(folder, ExportContent.VolumePrefix), UnixFileMode.UserRead | UnixFileMode.UserWrite
            | UnixFileMode.UserExecute);
    }

    /// <exception cref="ExportInvalidException">No volume of this export has such an entry.</exception>
    /// <exception cref="IOException">The disk.</exception>
    public async Task PlaceAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        if (++_entries > limits.Entries) throw Hostile("too many entries");
        if (_name is null)
        {
            var name = entry.Name.TrimEnd('/');
            if (!_missing.Remove(name)) throw Hostile("an entry that does not belong there");
            (_name, _tree) = (name, new TreeReader(folder, name, limits));
        }
        else if (entry.Name == TreeSummary.NameOf(_name))
        {
            await CompareAsync(entry, cancellationToken);
            return;
        }
        await _tree!.PlaceAsync(entry, cancellationToken);
    }

    /// <exception cref="ExportInvalidException">Something is missing.</exception>
    public void End()
    {
        if (_name is not null || _missing.Count > 0) throw Hostile("a volume is missing or not whole");
    }

    public void Dispose() => _tree?.Dispose();

    private async Task CompareAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        if (entry is not { EntryType: TarEntryType.RegularFile, DataStream: { } data, Length: <= TreeSummary.MaxBytes })
            throw Hostile("a volume without its digest");
        var json = new byte[entry.Length];
        await data.ReadExactlyAsync(json, cancellationToken);
        TreeSummary? said;
        try
        {
            said = JsonSerializer.Deserialize<TreeSummary>(json, ExportContents.Json);
        }
        catch (JsonException e)
        {
            throw new ExportInvalidException("export_invalid", "The export's content is not what an appliance writes: a digest that is none.", e);
        }
        if (_tree!.Finish() != said)
            throw new ExportInvalidException("export_damaged", "A volume in the export is not what was copied: its digest is another.");
        _tree.Dispose();
        (_name, _tree) = (null, null);
    }

    private static ExportInvalidException Hostile(string what) => new("export_invalid", $"The export's content is not what an appliance writes: {what}.");
}
