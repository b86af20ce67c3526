using System.Security.Cryptography;

namespace Piccolo.Core.Vault;

/// <summary>What both wraps do with their key. No key passes through memory that the collector may copy.</summary>
internal static class KeyWrapping
{
    public const int KeyLength = 32;
    public const int WrappedLength = DataKey.Length + SecretSealer.Overhead;

    public static byte[] Wrap(ReadOnlySpan<byte> key, DataKey dataKey, ReadOnlySpan<byte> associatedData)
    {
        using var sealer = new SecretSealer(key);
        return sealer.Seal(dataKey.Bytes, associatedData);
    }

    public static DataKey? Unwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> box, ReadOnlySpan<byte> associatedData)
    {
        Span<byte> dataKey = stackalloc byte[DataKey.Length];
        try
        {
            using var sealer = new SecretSealer(key);
            return sealer.TryOpen(box, associatedData, dataKey) ? new DataKey(dataKey) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }
}
