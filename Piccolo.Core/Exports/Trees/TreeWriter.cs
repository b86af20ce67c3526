using System.Collections.Immutable;
using System.Formats.Tar;
using System.Globalization;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports.Trees;

/// <summary>
/// Writes folders of volumes into a tar, each folder before what is in it: ciphertext as it lies, with owners, modes, times, extended attributes, links and
/// holes. Nobody writes to them meanwhile; the caller sees to that. Sockets are left out: of what listened there nothing is left.
/// </summary>
/// <param name="read">Told the bytes of files as they are read.</param>
internal sealed class TreeWriter(TarWriter tar, TreeLimits limits, Action<int> read)
{
    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = false, AttributesToSkip = 0, IgnoreInaccessible = false };
    private long _entries;

    /// <param name="name">The folder's name in the tar; those of all in it begin with it.</param>
    /// <exception cref="TreeUnreadableException">It cannot be read whole, or holds what an import would refuse.</exception>
    /// <exception cref="IOException">The tar's own stream.</exception>
    public async Task<TreeSummary> WriteAsync(string folder, string name, CancellationToken cancellationToken)
    {
        using var digest = new TreeDigest();
        var links = new Dictionary<ulong, (string Name, uint Left)>();
        var device = Guarded(() => FileDetails.Of(folder)).Device;
        await AddAsync(folder, name, digest, links, device, cancellationToken);
        // What is open is the path from the top to where the walk is: no more than a name has parts.
        var open = new Stack<(string Name, IEnumerator<string> Inside)>([(name, List(folder))]);
        try
        {
            while (open.TryPeek(out var top))
            {
                if (!Guarded(top.Inside.MoveNext))
                {
                    open.Pop().Inside.Dispose();
                    continue;
                }
                var path = top.Inside.Current;
                var inner = $"{top.Name}/{Path.GetFileName(path)}";
                if (await AddAsync(path, inner, digest, links, device, cancellationToken)) open.Push((inner, List(path)));
            }
        }
        finally
        {
            foreach (var (_, inside) in open) inside.Dispose();
        }
        return digest.Finish();
    }

    /// <summary>The bytes that files below a folder take, without holes. Of one that is in use: about.</summary>
    public static long Measure(string folder)
    {
        long sum = 0;
        var waiting = new Stack<string>([folder]);
        while (waiting.TryPop(out var next))
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(next, "*", Everything))
            {
                var details = FileDetails.Of(path);
                if (details.IsFolder) waiting.Push(path);
                else if (details.IsFile) sum += Math.Min(details.Length, details.Blocks * 512);
            }
        }
        return sum;
    }

    /// <returns>Whether it is a folder.</returns>
    private async Task<bool> AddAsync(
        string path, string name, TreeDigest digest, Dictionary<ulong, (string Name, uint Left)> links, ulong device, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var details = Guarded(() => FileDetails.Of(path));
        if (details.IsSocket) return false;
        if (++_entries > limits.Entries) throw new TreeUnreadableException($"an export takes no more than {limits.Entries} files");
        if (name.Length > limits.NameLength) throw new TreeUnreadableException("a folder in it is nested deeper than an export takes");
        if (details.Device != device) throw new TreeUnreadableException("another file system is mounted in it");
        var attributes = Guarded(() => TreeAttributes.From(details, details.IsLink ? [] : ExtendedAttribute.Of(path)));
        if (details.IsFile && details.Names > 1 && Link(details, name, links) is { } first)
        {
            var link = new PaxTarEntry(TarEntryType.HardLink, name, attributes) { LinkName = first, Mode = details.Permissions };
            await WriteAsync(link, digest, cancellationToken);
            return false;
        }
        if (details.IsFile)
        {
            if (details.Names > 1) attributes[TreeAttributes.Linked] = "1";
            await AddFileAsync(path, name, details, attributes, digest, cancellationToken);
            return false;
        }
        var type = details.IsFolder ? TarEntryType.Directory
            : details.IsLink ? TarEntryType.SymbolicLink
            : details.IsFifo ? TarEntryType.Fifo
            : throw new TreeUnreadableException("it holds a device, which no export takes");
        var entry = new PaxTarEntry(type, name, attributes) { Mode = details.Permissions };
        if (details.IsLink) entry.LinkName = Guarded(() => new FileInfo(path).LinkTarget) ?? throw new TreeUnreadableException("a link became something else");
        await WriteAsync(entry, digest, cancellationToken);
        return details.IsFolder;
    }

    private async Task AddFileAsync(
        string path, string name, FileDetails details, Dictionary<string, string> attributes, TreeDigest digest, CancellationToken cancellationToken)
    {
        using var file = Guarded(() => File.OpenHandle(path, options: FileOptions.SequentialScan));
        ImmutableArray<FilePart> parts = details.Length == 0 ? [] : [new FilePart(0, details.Length)];
        byte[] map = [];
        if (details.HasHoles)
        {
            parts = Guarded(() => FileParts.Of(file, details.Length, limits.Segments));
            map = FileParts.Write(parts);
            attributes[TreeAttributes.Holes] = details.Length.ToString(CultureInfo.InvariantCulture);
        }
        await using var data = new TreeFileStream(file, map, parts, digest, read);
        var entry = new PaxTarEntry(TarEntryType.RegularFile, name, attributes) { Mode = details.Permissions, DataStream = data };
        await WriteAsync(entry, digest, cancellationToken);
    }

    private async Task WriteAsync(PaxTarEntry entry, TreeDigest digest, CancellationToken cancellationToken)
    {
        // One moment for all: the true one is an attribute of ours.
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        digest.Add(entry);
        await tar.WriteEntryAsync(entry, cancellationToken);
    }

    /// <returns>The name under which the file was written already; null where this is its first.</returns>
    private string? Link(FileDetails details, string name, Dictionary<ulong, (string Name, uint Left)> links)
    {
        if (links.TryGetValue(details.Inode, out var first))
        {
            if (first.Left == 1) links.Remove(details.Inode);
            else links[details.Inode] = (first.Name, first.Left - 1);
            return first.Name;
        }
        if (links.Count == limits.LinkedFiles) throw new TreeUnreadableException($"it has more than {limits.LinkedFiles} files with several names");
        links[details.Inode] = (name, details.Names - 1);
        return null;
    }

    private static IEnumerator<string> List(string folder) => Guarded(() => Directory.EnumerateFileSystemEntries(folder, "*", Everything).GetEnumerator());

    private static T Guarded<T>(Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TreeUnreadableException(e.Message, e);
        }
    }
}
