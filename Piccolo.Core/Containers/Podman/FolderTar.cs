using System.Formats.Tar;

namespace Piccolo.Core.Containers.Podman;

/// <summary>Takes one folder out of a tar of a whole file system, with the owners, modes and attributes that stand there.</summary>
internal static class FolderTar
{
    private const string Attribute = "SCHILY.xattr.";

    /// <summary>Writes the folder's entries under <paramref name="name"/>.</summary>
    /// <param name="folder">Normalised: <c>/var/lib/data</c>.</param>
    /// <exception cref="InvalidDataException">It is no tar, or one that has a file's content elsewhere.</exception>
    public static async Task CopyAsync(Stream source, string folder, string name, Stream target, CancellationToken cancellationToken)
    {
        await using var reader = new TarReader(source, leaveOpen: true);
        await using var writer = new TarWriter(target, TarEntryFormat.Pax, leaveOpen: true);
        // Once seen, content must be read before the next entry: nothing is copied in between.
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            if (Place(entry.Name, folder, name) is { } place) await writer.WriteEntryAsync(Renamed(entry, place, folder, name), cancellationToken);
    }

    private static string? Place(string path, string folder, string name)
    {
        var normal = Surroundings.Normal(path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path);
        return normal == folder ? name : normal.StartsWith(folder + "/", StringComparison.Ordinal) ? name + normal[folder.Length..] : null;
    }

    private static PaxTarEntry Renamed(TarEntry entry, string place, string folder, string name)
    {
        var attributes = entry is PaxTarEntry pax ? pax.ExtendedAttributes.Where(a => a.Key.StartsWith(Attribute, StringComparison.Ordinal)) : [];
        var type = entry.EntryType is TarEntryType.V7RegularFile or TarEntryType.ContiguousFile ? TarEntryType.RegularFile : entry.EntryType;
        var renamed = new PaxTarEntry(type, type == TarEntryType.Directory ? place + "/" : place, attributes)
        {
            Mode = entry.Mode,
            Uid = entry.Uid,
            Gid = entry.Gid,
            ModificationTime = entry.ModificationTime,
        };
        switch (type)
        {
            case TarEntryType.RegularFile when entry.DataStream is { } content:
                renamed.DataStream = new SizedStream(content, entry.Length);
                break;
            case TarEntryType.SymbolicLink:
                renamed.LinkName = entry.LinkName;
                break;
            case TarEntryType.HardLink:
                renamed.LinkName = Place(entry.LinkName, folder, name)
                    ?? throw new InvalidDataException($"The file {entry.Name} of the image has its content outside of the folder.");
                break;
            case TarEntryType.BlockDevice or TarEntryType.CharacterDevice when entry is PosixTarEntry device:
                (renamed.DeviceMajor, renamed.DeviceMinor) = (device.DeviceMajor, device.DeviceMinor);
                break;
        }
        return renamed;
    }

    /// <summary>A part of a stream, read once from its beginning to its end. The writer asks for the length before it writes.</summary>
    private sealed class SizedStream(Stream content, long length) : Stream
    {
        private long _position;

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => length;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await content.ReadAsync(buffer, cancellationToken);
            _position += read;
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = content.Read(buffer, offset, count);
            _position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
