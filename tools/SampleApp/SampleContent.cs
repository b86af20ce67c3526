using System.Security.Cryptography;

namespace Piccolo.SampleApp;

/// <summary>The bytes of <c>/download</c>: the same for every run and machine, so that a client can tell whether any was lost, doubled or changed.</summary>
public static class SampleContent
{
    public const int ChunkLength = 64 * 1024;
    public const int ChunksPerMiB = 1024 * 1024 / ChunkLength;

    /// <summary>Fills <paramref name="chunk"/>, of <see cref="ChunkLength"/>, with the bytes of that place. No two chunks are alike.</summary>
    public static void Fill(int index, Span<byte> chunk)
    {
        var state = (ulong)index;
        for (var i = 0; i < chunk.Length; i++)
        {
            // Knuth's MMIX generator: quick, and the high byte is good enough to look random.
            state = (state * 6364136223846793005) + 1442695040888963407;
            chunk[i] = (byte)(state >> 56);
        }
    }

    /// <summary>SHA-256 of a download of that size, in lower-case hexadecimal.</summary>
    public static string Sha256(int mib)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var chunk = new byte[ChunkLength];
        for (var i = 0; i < mib * ChunksPerMiB; i++)
        {
            Fill(i, chunk);
            hash.AppendData(chunk);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
