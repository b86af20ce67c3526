using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports.Trees;

/// <param name="Offset">In the file.</param>
internal readonly record struct FilePart(long Offset, long Length);

/// <summary>The parts of a file between its holes, in their order: <c>count (u32), then offset (u64) and length (u64) of each</c>, big-endian.</summary>
internal static class FileParts
{
    private const int PartBytes = 16;

    /// <summary>Asks the kernel.</summary>
    /// <param name="most">The last part then goes to the end of the file, holes and all.</param>
    /// <exception cref="IOException">It gives no answer.</exception>
    public static ImmutableArray<FilePart> Of(SafeFileHandle file, long length, int most)
    {
        var parts = ImmutableArray.CreateBuilder<FilePart>();
        for (long at = 0; at < length;)
        {
            var begin = Posix.Seek(file, at, Posix.SEEK_DATA);
            // Nothing but a hole up to the end.
            if (begin < 0 && Marshal.GetLastPInvokeError() == Posix.ENXIO) break;
            var end = begin < 0 ? -1 : Posix.Seek(file, begin, Posix.SEEK_HOLE);
            if (end <= begin) throw Posix.Failure();
            if (parts.Count == most - 1) end = length;
            parts.Add(new FilePart(begin, Math.Min(end, length) - begin));
            at = end;
        }
        return parts.ToImmutable();
    }

    public static byte[] Write(ImmutableArray<FilePart> parts)
    {
        var bytes = new byte[4 + parts.Length * PartBytes];
        BinaryPrimitives.WriteInt32BigEndian(bytes, parts.Length);
        foreach (var (i, part) in parts.Index())
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(4 + i * PartBytes), part.Offset);
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(12 + i * PartBytes), part.Length);
        }
        return bytes;
    }

    /// <param name="length">Of the file with its holes.</param>
    /// <param name="stored">Bytes that follow in the entry, this map included.</param>
    /// <exception cref="InvalidDataException">The map is not one of such a file.</exception>
    public static async Task<ImmutableArray<FilePart>> ReadAsync(
        Stream data, long length, long stored, TreeLimits limits, TreeDigest digest, CancellationToken cancellationToken)
    {
        var head = new byte[4];
        await data.ReadExactlyAsync(head, cancellationToken);
        digest.AddData(head);
        var count = BinaryPrimitives.ReadInt32BigEndian(head);
        if (count < 0 || count > limits.Segments) throw new InvalidDataException("A file has too many parts.");
        var map = new byte[count * PartBytes];
        await data.ReadExactlyAsync(map, cancellationToken);
        digest.AddData(map);
        var parts = ImmutableArray.CreateBuilder<FilePart>(count);
        long at = 0, sum = 4 + map.Length;
        for (var i = 0; i < count; i++)
        {
            var part = new FilePart(
                BinaryPrimitives.ReadInt64BigEndian(map.AsSpan(i * PartBytes)), BinaryPrimitives.ReadInt64BigEndian(map.AsSpan(i * PartBytes + 8)));
            if (part.Offset < at || part.Length <= 0 || part.Length > length || part.Offset > length - part.Length)
                throw new InvalidDataException("The parts of a file overlap or lie outside of it.");
            parts.Add(part);
            (at, sum) = (part.Offset + part.Length, sum + part.Length);
        }
        return sum == stored ? parts.ToImmutable() : throw new InvalidDataException("The parts of a file are not what its entry holds.");
    }
}
