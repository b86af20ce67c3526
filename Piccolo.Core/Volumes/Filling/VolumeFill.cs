using System.Formats.Tar;
using System.Runtime.InteropServices;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Filling;

/// <summary>What a volume's first content may be at most.</summary>
/// <param name="Bytes">Of all files together.</param>
internal sealed record FillLimits(long Bytes, int Entries = FillLimits.MaxEntries)
{
    public const int MaxEntries = 1_000_000;
}

/// <summary>The content is not taken. What was unpacked so far counts for nothing.</summary>
/// <param name="isTooLarge">It is only too much.</param>
internal sealed class FillRefusedException(string message, bool isTooLarge = false) : Exception(message)
{
    public bool IsTooLarge { get; } = isTooLarge;
}

/// <summary>
/// Unpacks the tar of one folder of an image into an empty folder that nobody else writes to. The tar is a stranger's: nothing is written outside of the
/// folder, nothing below a link, and no device is made. Owners, modes and times of files are the image's, without the set-user and set-group bits of files,
/// which are nothing but a danger on a host. Extended attributes are left out.
/// </summary>
internal sealed class VolumeFill(string folder, uint firstHostId, FillLimits limits)
{
    private const UnixFileMode Implied = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>An app has as many users.</summary>
    private const int MaxId = 65_535;

    private const int MaxDepth = 256;
    private const UnixFileMode NotOnFiles = UnixFileMode.SetUser | UnixFileMode.SetGroup;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string? _outermost;
    private string? _lastParent;
    private long _bytes;
    private int _entries;

    /// <exception cref="FillRefusedException">The tar holds what a volume does not take, or is cut off.</exception>
    /// <exception cref="IOException">The disk.</exception>
    public async Task UnpackAsync(Stream content, CancellationToken cancellationToken)
    {
        var watched = new EndWatch(content);
        try
        {
            await using var tar = new TarReader(watched, leaveOpen: true);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                if (++_entries > limits.Entries) throw new FillRefusedException($"it holds more than {limits.Entries} files", isTooLarge: true);
                await UnpackAsync(entry, cancellationToken);
            }
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or FormatException or NotSupportedException or ArgumentException)
        {
            throw new FillRefusedException($"it is damaged or cut off ({e.Message})");
        }
        // A reader takes the end of the stream between two entries for the end of the tar; a whole one ends with two empty blocks.
        if (watched.HasEnded) throw new FillRefusedException("it is cut off");
    }

    private async Task UnpackAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes) return;
        var path = PathOf(entry.Name);
        if (entry.Uid is < 0 or > MaxId || entry.Gid is < 0 or > MaxId)
            throw Refused(entry, $"belongs to user {entry.Uid}, group {entry.Gid}: no app has them");
        if (path == folder && entry.EntryType != TarEntryType.Directory) throw Refused(entry, "is not a folder");
        if (path != folder) EnterParentOf(path, entry);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                MakeFolder(path, entry);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                await WriteFileAsync(path, entry, cancellationToken);
                break;
            case TarEntryType.SymbolicLink:
                MustBeFree(path, entry);
                // Only the app follows it, in its own view of the files: it may lead to where it wants.
                File.CreateSymbolicLink(path, entry.LinkName);
                Own(path, entry);
                break;
            case TarEntryType.HardLink:
                LinkTo(path, entry);
                break;
            case TarEntryType.Fifo:
                MustBeFree(path, entry);
                if (Posix.MakeFifo(path, (uint)OwnerOnly) != 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
                Own(path, entry);
                File.SetUnixFileMode(path, entry.Mode & ~NotOnFiles);
                break;
            default:
                throw Refused(entry, $"is of a kind that no volume takes ({entry.EntryType})");
        }
    }

    private void MakeFolder(string path, TarEntry entry)
    {
        var facts = FileFacts.Of(path, out _);
        if (facts is { Kind: not FileKind.Folder }) throw Refused(entry, "is there already, and is no folder");
        if (facts is null) Directory.CreateDirectory(path, Implied);
        Own(path, entry);
        File.SetUnixFileMode(path, entry.Mode & ~UnixFileMode.SetUser);
    }

    private async Task WriteFileAsync(string path, TarEntry entry, CancellationToken cancellationToken)
    {
        Reserve(entry.Length);
        MustBeFree(path, entry);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly, BufferSize = 0 };
        await using (var file = new FileStream(path, options))
        {
            if (entry.DataStream is { } data) await data.CopyToAsync(file, cancellationToken);
            if (file.Length != entry.Length) throw new FillRefusedException("it is cut off");
        }
        // The kernel drops the special bits when the owner changes, so the mode comes last but for the time.
        Own(path, entry);
        File.SetUnixFileMode(path, entry.Mode & ~NotOnFiles);
        File.SetLastWriteTimeUtc(path, entry.ModificationTime.UtcDateTime);
    }

    private void LinkTo(string path, TarEntry entry)
    {
        var existing = PathOf(entry.LinkName);
        if (existing == folder) throw Refused(entry, "links to a folder");
        EnterParentOf(existing, entry);
        EnterParentOf(path, entry);
        if (FileFacts.Of(existing, out _) is not { Kind: FileKind.File }) throw Refused(entry, "links to what is no file of the volume");
        MustBeFree(path, entry);
        if (Posix.Link(existing, path) != 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    private void Reserve(long length)
    {
        _bytes += length;
        if (length < 0 || _bytes < 0 || _bytes > limits.Bytes)
            throw new FillRefusedException($"it is larger than the {limits.Bytes} bytes that there is room for", isTooLarge: true);
    }

    /// <summary>The first entry says the name that all others begin with.</summary>
    private string PathOf(string name)
    {
        if (name.StartsWith('/')) throw new FillRefusedException($"the name '{Shown(name)}' is absolute");
        var parts = name.Split('/').Where(p => p is not ("" or ".")).ToList();
        if (parts.Contains("..")) throw new FillRefusedException($"the name '{Shown(name)}' leads out of the volume");
        if (parts.Count == 0) throw new FillRefusedException($"the name '{Shown(name)}' names nothing");
        if (parts.Count > MaxDepth || name.Contains('\0', StringComparison.Ordinal)) throw new FillRefusedException($"the name '{Shown(name)}' is none");
        _outermost ??= parts[0];
        if (parts[0] != _outermost) throw new FillRefusedException($"'{Shown(name)}' does not lie in '{Shown(_outermost)}'");
        return parts.Count == 1 ? folder : Path.Combine(folder, Path.Combine([.. parts.Skip(1)]));
    }

    /// <summary>Each folder above must be a real one: a link among them would lead out. Missing ones are made.</summary>
    private void EnterParentOf(string path, TarEntry entry)
    {
        var parent = Path.GetDirectoryName(path)!;
        if (parent == _lastParent) return;
        var at = folder;
        foreach (var part in Path.GetRelativePath(folder, parent).Split('/').Where(p => p != "."))
        {
            at = Path.Combine(at, part);
            if (FileFacts.Of(at, out _) is not { } facts) Directory.CreateDirectory(at, Implied);
            else if (facts.Kind != FileKind.Folder) throw Refused(entry, "lies below what is no folder");
        }
        // Folders are never replaced by anything else.
        _lastParent = parent;
    }

    private void Own(string path, TarEntry entry)
    {
        if (Posix.ChangeOwner(path, firstHostId + (uint)entry.Uid, firstHostId + (uint)entry.Gid) != 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    private static void MustBeFree(string path, TarEntry entry)
    {
        if (FileFacts.Of(path, out _) is not null) throw Refused(entry, "is in it twice");
    }

    private static FillRefusedException Refused(TarEntry entry, string why) => new($"'{Shown(entry.Name)}' {why}");

    /// <summary>Short, and without what would move a terminal's cursor.</summary>
    private static string Shown(string name) => new([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
}
