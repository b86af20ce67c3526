using System.Buffers.Binary;
using System.Security.Cryptography;
using HashAlgorithm = NSec.Cryptography.HashAlgorithm;
using IncrementalHash = NSec.Cryptography.IncrementalHash;

namespace Piccolo.Core.Vault;

/// <summary>
/// Argon2id, version 0x13, one lane, without secret and associated data (RFC 9106, section 3). It gives what libsodium gives, which a test compares; why it is not
/// libsodium's own is in ADR 0015.
/// </summary>
internal static unsafe class Argon2id
{
    private const int Lanes = 1;
    private const int Version = 0x13;
    private const int Type = 2;
    private const int Slices = 4;

    public const int Length = 32;

    /// <param name="destination"><see cref="Length"/> bytes. The caller wipes them, and the password.</param>
    public static void Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memoryKiB, int passes, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(memoryKiB, 2 * Slices * Lanes);
        ArgumentOutOfRangeException.ThrowIfLessThan(passes, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Length);
        var blocks = memoryKiB / (Slices * Lanes) * (Slices * Lanes);
        using var memory = new Argon2Memory((long)blocks * Argon2Block.Bytes);
        Begin(password, salt, memoryKiB, passes, memory);
        for (var pass = 0; pass < passes; pass++)
        {
            for (var slice = 0; slice < Slices; slice++) FillSegment(memory, blocks, pass, slice, passes);
        }
        HashWithLength(HashAlgorithm.Blake2b_256, Length, new ReadOnlySpan<byte>(memory.Block(blocks - 1), Argon2Block.Bytes), destination);
    }

    /// <summary>The first two blocks.</summary>
    private static void Begin(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memoryKiB, int passes, Argon2Memory memory)
    {
        Span<byte> seed = stackalloc byte[64 + 8];
        IncrementalHash.Initialize(HashAlgorithm.Blake2b_512, out var state);
        foreach (var number in (ReadOnlySpan<int>)[Lanes, Length, memoryKiB, passes, Version, Type, password.Length]) Append(ref state, number);
        IncrementalHash.Update(ref state, password);
        Append(ref state, salt.Length);
        IncrementalHash.Update(ref state, salt);
        Append(ref state, 0);
        Append(ref state, 0);
        IncrementalHash.Finalize(ref state, seed[..64]);
        for (var i = 0; i < 2; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(seed[64..], i);
            HashLong(seed, new Span<byte>(memory.Block(i), Argon2Block.Bytes));
        }
        CryptographicOperations.ZeroMemory(seed);
    }

    private static void FillSegment(Argon2Memory memory, int blocks, int pass, int slice, int passes)
    {
        var segment = blocks / Slices;
        var addresses = stackalloc ulong[Argon2Block.Words];
        var input = stackalloc ulong[Argon2Block.Words];
        new Span<ulong>(input, Argon2Block.Words).Clear();
        // The first half of the first pass looks where the password has no say in it, so that caches and clocks tell nothing of it.
        var independent = pass == 0 && slice < Slices / 2;
        (input[0], input[2], input[3], input[4], input[5]) = ((ulong)pass, (ulong)slice, (ulong)blocks, (ulong)passes, Type);
        for (var index = pass == 0 && slice == 0 ? 2 : 0; index < segment; index++)
        {
            if (independent && (index % Argon2Block.Words == 0 || input[6] == 0)) NextAddresses(input, addresses);
            var current = ((long)slice * segment) + index;
            var previous = memory.Block(current == 0 ? blocks - 1 : current - 1);
            var word = independent ? addresses[index % Argon2Block.Words] : previous[0];
            var reference = Reference(unchecked((uint)word), blocks, segment, pass, slice, index);
            Argon2Block.Fill(previous, memory.Block(reference), memory.Block(current), over: pass > 0);
        }
    }

    private static void NextAddresses(ulong* input, ulong* addresses)
    {
        var zero = stackalloc ulong[Argon2Block.Words];
        new Span<ulong>(zero, Argon2Block.Words).Clear();
        input[6]++;
        Argon2Block.Fill(zero, input, addresses, over: false);
        Argon2Block.Fill(zero, addresses, addresses, over: false);
    }

    /// <summary>Section 3.4: which of the blocks that are there already the next one depends on; the newer, the likelier.</summary>
    private static long Reference(uint word, int blocks, int segment, int pass, int slice, int index)
    {
        var area = (ulong)((pass == 0 ? slice * segment : blocks - segment) + index - 1);
        var square = ((ulong)word * word) >> 32;
        var relative = area - 1 - ((area * square) >> 32);
        var start = pass == 0 || slice == Slices - 1 ? 0 : (ulong)(slice + 1) * (ulong)segment;
        return (long)((start + relative) % (ulong)blocks);
    }

    /// <summary>H′ of section 3.3: a hash as long as a block, half of each of Blake2b's and then a whole one.</summary>
    private static void HashLong(ReadOnlySpan<byte> input, Span<byte> block)
    {
        const int whole = 64;
        const int half = whole / 2;
        Span<byte> link = stackalloc byte[whole];
        HashWithLength(HashAlgorithm.Blake2b_512, block.Length, input, link);
        for (; block.Length > whole; block = block[half..])
        {
            link[..half].CopyTo(block);
            HashAlgorithm.Blake2b_512.Hash(link, link);
        }
        link.CopyTo(block);
        CryptographicOperations.ZeroMemory(link);
    }

    private static void HashWithLength(HashAlgorithm algorithm, int length, ReadOnlySpan<byte> input, Span<byte> output)
    {
        IncrementalHash.Initialize(algorithm, out var state);
        Append(ref state, length);
        IncrementalHash.Update(ref state, input);
        IncrementalHash.Finalize(ref state, output);
    }

    private static void Append(ref IncrementalHash state, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        IncrementalHash.Update(ref state, bytes);
    }
}
