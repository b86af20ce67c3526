using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.Vault;

namespace Piccolo.Core.ControlStore.Integrity;

/// <summary>
/// The keyed hashes that bind rows, state and revisions to each other (ADR 0007). Holds only keys; thread-safe. After <see cref="Dispose"/> its answers
/// are worthless, so whoever compares beside the store's gate asks afterwards whether the store is still the same.
/// </summary>
internal sealed class StoreChain : IDisposable
{
    public const int Length = 32;

    private const byte StateLabel = 1;
    private const byte LinkLabel = 2;
    private const byte AnchorLabel = 3;

    private readonly byte[] _rowKey = GC.AllocateArray<byte>(Length, pinned: true);
    private readonly byte[] _linkKey = GC.AllocateArray<byte>(Length, pinned: true);

    public StoreChain(DataKey dataKey)
    {
        dataKey.Derive("store/chain/rows", _rowKey);
        dataKey.Derive("store/chain/links", _linkKey);
    }

    /// <summary>What stood before the first revision.</summary>
    public static byte[] Genesis { get; } = new byte[Length];

    public void OfRow(string collection, int schema, ReadOnlySpan<byte> id, ReadOnlySpan<byte> box, Span<byte> mac)
    {
        var nameLength = Encoding.UTF8.GetByteCount(collection);
        var length = 12 + nameLength + id.Length + box.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        var text = buffer.AsSpan(0, length);
        BinaryPrimitives.WriteInt32BigEndian(text, nameLength);
        BinaryPrimitives.WriteInt32BigEndian(text[4..], id.Length);
        BinaryPrimitives.WriteInt32BigEndian(text[8..], schema);
        Encoding.UTF8.GetBytes(collection, text[12..]);
        id.CopyTo(text[(12 + nameLength)..]);
        box.CopyTo(text[(12 + nameLength + id.Length)..]);
        HMACSHA256.HashData(_rowKey, text, mac);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>What is stored of the state after a revision. Tells nothing about the digest to whoever has no key.</summary>
    public byte[] OfState(long revision, StateDigest digest)
    {
        Span<byte> text = stackalloc byte[9 + StateDigest.Length];
        text[0] = StateLabel;
        BinaryPrimitives.WriteInt64BigEndian(text[1..], revision);
        digest.WriteTo(text[9..]);
        return HMACSHA256.HashData(_linkKey, text);
    }

    /// <summary>The chain value of one revision.</summary>
    public byte[] OfRevision(long revision, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> changes, ReadOnlySpan<byte> state)
    {
        Span<byte> text = stackalloc byte[9 + 3 * Length];
        text[0] = LinkLabel;
        BinaryPrimitives.WriteInt64BigEndian(text[1..], revision);
        previous.CopyTo(text[9..]);
        changes.CopyTo(text[(9 + Length)..]);
        state.CopyTo(text[(9 + 2 * Length)..]);
        return HMACSHA256.HashData(_linkKey, text);
    }

    public byte[] OfAnchor(long revision, ReadOnlySpan<byte> chain)
    {
        Span<byte> text = stackalloc byte[9 + Length];
        text[0] = AnchorLabel;
        BinaryPrimitives.WriteInt64BigEndian(text[1..], revision);
        chain.CopyTo(text[9..]);
        return HMACSHA256.HashData(_linkKey, text);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_rowKey);
        CryptographicOperations.ZeroMemory(_linkKey);
    }
}
