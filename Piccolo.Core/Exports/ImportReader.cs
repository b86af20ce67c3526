using System.Formats.Tar;
using Piccolo.Core.Exports.Trees;

namespace Piccolo.Core.Exports;

/// <summary>
/// Unpacks the tar of an export into a folder. Its bytes are authentic, but an authentic export can still be hostile: names that climb out of the folder,
/// links to write through, sizes that no disk has.
/// </summary>
internal static class ImportReader
{
    private const int MaxNameLength = 4096;

    /// <returns>What the export says that it holds, and does hold; null where it does not say so.</returns>
    public static async Task<ExportContents?> UnpackAsync(
        OpeningStream content, string folder, ExportHeader header, TreeLimits limits, CancellationToken cancellationToken)
    {
        using var volumes = new VolumesIntake(folder, limits);
        ExportContents? contents = null;
        var links = new HashSet<string>(StringComparer.Ordinal);
        var entries = 0;
        try
        {
            await using var tar = new TarReader(content, leaveOpen: true);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                // A few are not of volumes: the contents, the store, and what each volume ends with.
                if (++entries > 2L * limits.Entries) throw Hostile("too many entries");
                if (header.Version < ExportHeader.ContentsVersion)
                    await PlaceAsync(entry, Resolve(entry, folder, header.Kind, links), links, cancellationToken);
                else if (contents is null) volumes.Begin(contents = await ExportReader.ReadAsync(entry, cancellationToken));
                else if (entry.Name == ExportContent.StoreName)
                    await PlaceAsync(entry, Resolve(entry, folder, ExportKind.Control, links), links, cancellationToken);
                else await volumes.PlaceAsync(entry, cancellationToken);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or InvalidOperationException or ArgumentException
            or NotSupportedException or OverflowException)
        {
            throw new ExportInvalidException("export_damaged", "The export's content is not what an appliance writes.", e);
        }
        // The archive may say that it is over before the file is: only the last chunk's tag says that nothing was cut off.
        var rest = new byte[4096];
        while (await content.ReadAsync(rest, cancellationToken) > 0)
        {
        }
        if (!File.Exists(Path.Combine(folder, ExportContent.StoreName))) throw Hostile("no control store");
        volumes.End();
        return contents;
    }

    private static string Resolve(TarEntry entry, string folder, ExportKind kind, HashSet<string> links)
    {
        var name = entry.EntryType == TarEntryType.Directory ? entry.Name.TrimEnd('/') : entry.Name;
        if (name == ExportContent.StoreName && entry.EntryType == TarEntryType.RegularFile) return Path.Combine(folder, name);
        if (kind != ExportKind.Full || !name.StartsWith(ExportContent.VolumePrefix, StringComparison.Ordinal) || name.Length > MaxNameLength)
            throw Hostile("an entry that does not belong there");
        var parts = name.Split('/');
        if (parts.Any(p => p is "" or "." or ".." || p.Contains('\0', StringComparison.Ordinal))) throw Hostile("a name that leaves its folder");
        for (var i = 1; i < parts.Length; i++)
        {
            if (links.Contains(string.Join('/', parts[..i]))) throw Hostile("a name below a link");
        }
        if (entry.EntryType == TarEntryType.SymbolicLink) links.Add(name);
        return Path.Combine([folder, .. parts]);
    }

    private static async Task PlaceAsync(TarEntry entry, string path, HashSet<string> links, CancellationToken cancellationToken)
    {
        if (Path.Exists(path)) throw Hostile("an entry twice");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // Setuid and the like are not for ciphertext.
        var mode = entry.Mode & (UnixFileMode)0x1FF;
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path, mode | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                break;
            case TarEntryType.SymbolicLink:
                File.CreateSymbolicLink(path, entry.LinkName);
                break;
            case TarEntryType.RegularFile:
                var options = new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    UnixCreateMode = mode | UnixFileMode.UserRead | UnixFileMode.UserWrite,
                    Options = FileOptions.Asynchronous,
                };
                await using (var file = new FileStream(path, options))
                {
                    if (entry.DataStream is { } data) await data.CopyToAsync(file, cancellationToken);
                    await file.FlushAsync(cancellationToken);
                    file.Flush(flushToDisk: true);
                }
                break;
            default:
                throw Hostile("an entry of an unknown kind");
        }
    }

    private static ExportInvalidException Hostile(string what) => new("export_invalid", $"The export's content is not what an appliance writes: {what}.");
}
