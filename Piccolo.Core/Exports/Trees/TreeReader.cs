using System.Buffers;
using System.Formats.Tar;
using System.Runtime.InteropServices;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports.Trees;

/// <summary>
/// Unpacks one volume that <see cref="TreeWriter"/> wrote. Its bytes are authentic and may be hostile all the same: each entry must lie in the folder that was
/// entered last or one above, so that all folders on its way are ones that were made here, and never links.
/// </summary>
/// <param name="root">The folder that names are relative to.</param>
/// <param name="volume">The name of the volume's own folder in the tar.</param>
internal sealed class TreeReader(string root, string volume, TreeLimits limits) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int BufferBytes = 128 * 1024;

    private readonly TreeDigest _digest = new();
    private readonly Stack<(string Name, PaxTarEntry Entry)> _open = [];
    private readonly HashSet<string> _linked = new(StringComparer.Ordinal);
    private readonly FileDetails _own = FileDetails.Of(root);
    private bool _began;

    /// <exception cref="ExportInvalidException">No appliance writes such an entry, or this one may not restore it.</exception>
    /// <exception cref="IOException">The disk.</exception>
    public async Task PlaceAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        if (entry is not PaxTarEntry pax) throw Hostile("an entry of another format");
        var name = entry.Name.TrimEnd('/');
        if (name.Length > limits.NameLength || name.Contains('\0', StringComparison.Ordinal) || name.Split('/').Any(p => p is "" or "." or ".."))
            throw Hostile("a name that leaves its folder");
        Enter(name, entry.EntryType);
        _digest.Add(entry);
        var path = Path.Combine(root, name);
        if (FileFacts.Of(path, out _) is not null) throw Hostile("an entry twice");
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
                _open.Push((name, pax));
                break;
            case TarEntryType.RegularFile:
                await WriteFileAsync(path, pax, cancellationToken);
                if (pax.ExtendedAttributes.ContainsKey(TreeAttributes.Linked) && !(_linked.Count < limits.LinkedFiles && _linked.Add(name)))
                    throw Hostile("too many files with several names");
                Restore(path, pax);
                break;
            case TarEntryType.HardLink:
                // Only a file that this volume brought, by the very name that it came with.
                if (!_linked.Contains(entry.LinkName)) throw Hostile("a link to what is no file of the volume");
                if (Posix.Link(Path.Combine(root, entry.LinkName), path) != 0) throw Posix.Failure();
                break;
            case TarEntryType.SymbolicLink:
                // Whoever follows it does so in clear; here it is ciphertext, and nothing is written below it.
                File.CreateSymbolicLink(path, entry.LinkName);
                Restore(path, pax);
                break;
            case TarEntryType.Fifo:
                if (Posix.MakeFifo(path, (uint)OwnerOnly) != 0) throw Posix.Failure();
                Restore(path, pax);
                break;
            default:
                throw Hostile("an entry of an unknown kind");
        }
    }

    /// <summary>Nothing more comes: folders get their modes and times, which writing into them would have changed.</summary>
    public TreeSummary Finish()
    {
        while (_open.Count > 0) Leave();
        return _digest.Finish();
    }

    public void Dispose() => _digest.Dispose();

    private void Enter(string name, TarEntryType type)
    {
        if (!_began)
        {
            if (name != volume || type != TarEntryType.Directory) throw Hostile("a volume without a folder");
            _began = true;
            return;
        }
        while (_open.TryPeek(out var top) && !name.StartsWith(top.Name + "/", StringComparison.Ordinal)) Leave();
        if (!_open.TryPeek(out var parent) || name.IndexOf('/', parent.Name.Length + 1) >= 0) throw Hostile("an entry outside of its folder");
    }

    private void Leave()
    {
        var (name, entry) = _open.Pop();
        Restore(Path.Combine(root, name), entry);
    }

    private async Task WriteFileAsync(string path, PaxTarEntry entry, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        File.SetUnixFileMode(file, OwnerOnly);
        var holes = TreeAttributes.LengthWithHoles(entry);
        if (holes is < 0 || holes > limits.FileLength || entry.Length > limits.FileLength) throw Hostile("a file larger than any disk");
        if (entry.DataStream is not { } data)
        {
            if (holes is not null || entry.Length != 0) throw Hostile("a file without its data");
            return;
        }
        var parts = holes is { } length
            ? await FileParts.ReadAsync(data, length, entry.Length, limits, _digest, cancellationToken)
            : [new FilePart(0, entry.Length)];
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            foreach (var part in parts) await CopyAsync(data, file, part, buffer, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (holes is { } whole) RandomAccess.SetLength(file, whole);
    }

    private async Task CopyAsync(
        Stream data, Microsoft.Win32.SafeHandles.SafeFileHandle file, FilePart part, byte[] buffer, CancellationToken cancellationToken)
    {
        for (long done = 0; done < part.Length;)
        {
            var count = await data.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferBytes, part.Length - done)), cancellationToken);
            if (count == 0) throw new EndOfStreamException();
            _digest.AddData(buffer.AsSpan(0, count));
            await RandomAccess.WriteAsync(file, buffer.AsMemory(0, count), part.Offset + done, cancellationToken);
            done += count;
        }
    }

    /// <summary>Owner, mode, attributes, time: in this order, because each of the first three changes what a later one sets.</summary>
    private void Restore(string path, PaxTarEntry entry)
    {
        var (user, group) = TreeAttributes.OwnerOf(entry);
        var isLink = entry.EntryType == TarEntryType.SymbolicLink;
        try
        {
            // What is its own already needs no right to be given away.
            if ((user, group) != (_own.User, _own.Group) && Posix.ChangeOwner(path, user, group) != 0) throw Posix.Failure();
            if (!isLink) File.SetUnixFileMode(path, entry.Mode & (UnixFileMode)FileDetails.PermissionMask);
            foreach (var attribute in isLink ? [] : TreeAttributes.ExtendedOf(entry))
            {
                if (!attribute.IsCopied) throw Hostile("an attribute that is not a file's own");
                attribute.WriteTo(path);
            }
            var (seconds, nanoseconds) = TreeAttributes.ChangedOf(entry);
            ReadOnlySpan<long> times = [seconds, nanoseconds, seconds, nanoseconds];
            if (Posix.SetTimes(Posix.AT_FDCWD, path, ref MemoryMarshal.GetReference(times), Posix.AT_SYMLINK_NOFOLLOW) != 0) throw Posix.Failure();
        }
        catch (Exception e) when (e is UnauthorizedAccessException || (e is IOException io && DiskProbe.CodeOf(io) == FaultCode.StoreUnreadable))
        {
            throw new ExportInvalidException("volume_not_restored", $"A file of a volume cannot be restored as it was: {e.Message}", e);
        }
    }

    private static ExportInvalidException Hostile(string what) => new("export_invalid", $"The export's content is not what an appliance writes: {what}.");
}
