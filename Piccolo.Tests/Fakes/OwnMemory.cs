using System.Globalization;

namespace Piccolo.Tests.Fakes;

/// <summary>Looks for bytes in everything that this process can write: heaps, arenas, anonymous mappings, stacks.</summary>
internal sealed class OwnMemory
{
    private const byte Mask = 0x5A;
    private const int Chunk = 1 << 20;
    private readonly byte[] _masked;

    /// <param name="needle">Kept in masked form only, so that the search does not find itself.</param>
    public OwnMemory(ReadOnlySpan<byte> needle)
    {
        _masked = new byte[needle.Length];
        for (var i = 0; i < _masked.Length; i++) _masked[i] = (byte)(needle[i] ^ Mask);
    }

    /// <returns>The mappings in which the bytes stand, by name or address.</returns>
    public IReadOnlyList<string> Find()
    {
        var found = new List<string>();
        var buffer = GC.AllocateArray<byte>(Chunk + 64, pinned: true);
        using var memory = new FileStream("/proc/self/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        foreach (var line in File.ReadAllLines("/proc/self/maps"))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!fields[1].StartsWith("rw", StringComparison.Ordinal)) continue;
            var range = fields[0].Split('-');
            var start = long.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var end = long.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (Contains(memory, buffer, start, end)) found.Add(line);
        }
        return found;
    }

    private bool Contains(FileStream memory, byte[] buffer, long start, long end)
    {
        // Chunks overlap by the needle's length.
        for (var at = start; at < end; at += Chunk)
        {
            var length = (int)Math.Min(buffer.Length, end - at);
            int read;
            try
            {
                read = RandomAccess.Read(memory.SafeFileHandle, buffer.AsSpan(0, length), at);
            }
            catch (IOException)
            {
                // Reserved and never used, or unmapped in the meantime.
                continue;
            }
            var hit = Stands(buffer.AsSpan(0, read));
            buffer.AsSpan().Clear();
            if (hit) return true;
        }
        return false;
    }

    private bool Stands(ReadOnlySpan<byte> memory)
    {
        var first = (byte)(_masked[0] ^ Mask);
        for (var i = 0; ;)
        {
            var next = memory[i..].IndexOf(first);
            if (next < 0 || (i += next) + _masked.Length > memory.Length) return false;
            var same = 1;
            while (same < _masked.Length && (memory[i + same] ^ Mask) == _masked[same]) same++;
            if (same == _masked.Length) return true;
            i++;
        }
    }
}
