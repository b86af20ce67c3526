using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.Vault;

namespace Piccolo.Core.ControlStore.Integrity;

/// <summary>
/// Hides rows from whoever holds the disk. A row's id is an HMAC of collection and key, so that not even names show; its box holds key and record,
/// and is bound to collection, id and schema, so that swapped rows do not open.
/// </summary>
internal sealed class RowSeal : IDisposable
{
    private readonly SecretSealer _rows;
    private readonly byte[] _idKey = GC.AllocateArray<byte>(32, pinned: true);
    private readonly byte[] _exportKey = GC.AllocateArray<byte>(32, pinned: true);

    public RowSeal(DataKey dataKey)
    {
        Span<byte> rowKey = stackalloc byte[32];
        dataKey.Derive("store/rows", rowKey);
        _rows = new SecretSealer(rowKey);
        CryptographicOperations.ZeroMemory(rowKey);
        dataKey.Derive("store/row-ids", _idKey);
        dataKey.Derive("export", _exportKey);
        Chain = new StoreChain(dataKey);
    }

    public StoreChain Chain { get; }

    /// <summary>The key of one export file, which has its own salt. The caller wipes it.</summary>
    public void DeriveExportKey(ReadOnlySpan<byte> salt, Span<byte> destination) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _exportKey, destination, salt, "piccolo/v1/export-file"u8);

    public byte[] IdOf(string collection, string key) => HMACSHA256.HashData(_idKey, Encoding.UTF8.GetBytes($"{collection}\0{key}"));

    public byte[] Seal(string collection, int schema, byte[] id, string key, ReadOnlySpan<byte> record)
    {
        var keyBytes = Encoding.UTF8.GetBytes(key);
        var content = new byte[4 + keyBytes.Length + record.Length];
        BinaryPrimitives.WriteInt32BigEndian(content, keyBytes.Length);
        keyBytes.CopyTo(content, 4);
        record.CopyTo(content.AsSpan(4 + keyBytes.Length));
        var box = _rows.Seal(content, AssociatedData(collection, schema, id));
        CryptographicOperations.ZeroMemory(content);
        return box;
    }

    /// <returns>Key and record, which the caller wipes; null when the row is not what was written to this place.</returns>
    public (string Key, byte[] Record)? Open(string collection, int schema, byte[] id, byte[] box)
    {
        var content = _rows.Open(box, AssociatedData(collection, schema, id));
        if (content is null || content.Length < 4) return null;
        try
        {
            var keyLength = BinaryPrimitives.ReadInt32BigEndian(content);
            if (keyLength < 0 || keyLength > content.Length - 4) return null;
            return (Encoding.UTF8.GetString(content, 4, keyLength), content[(4 + keyLength)..]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    public void Dispose()
    {
        _rows.Dispose();
        Chain.Dispose();
        CryptographicOperations.ZeroMemory(_idKey);
        CryptographicOperations.ZeroMemory(_exportKey);
    }

    private static byte[] AssociatedData(string collection, int schema, byte[] id) =>
        [.. Encoding.UTF8.GetBytes($"piccolo/row/v1/{collection}/{schema}/"), .. id];
}
