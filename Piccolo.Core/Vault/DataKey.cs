using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Vault;

/// <summary>
/// The one secret below which everything at rest is sealed: 256 random bits, in memory only while unlocked, wiped by <see cref="Dispose"/>.
/// Never used directly: each purpose gets its own key by HKDF-SHA256 (RFC 5869).
/// </summary>
public sealed class DataKey : IDisposable
{
    public const int Length = 32;

    // Pinned, so that the collector cannot leave copies behind when it compacts.
    private readonly byte[] _key = GC.AllocateArray<byte>(Length, pinned: true);
    private bool _wiped;

    internal DataKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Length) throw new ArgumentException("A data key has 32 bytes.", nameof(key));
        key.CopyTo(_key);
    }

    internal ReadOnlySpan<byte> Bytes => _wiped ? throw new ObjectDisposedException(nameof(DataKey)) : _key;

    internal static DataKey Generate()
    {
        Span<byte> key = stackalloc byte[Length];
        RandomNumberGenerator.Fill(key);
        var result = new DataKey(key);
        CryptographicOperations.ZeroMemory(key);
        return result;
    }

    /// <summary>Fills <paramref name="destination"/> with the key of one purpose, such as <c>store/rows</c>. The caller wipes it.</summary>
    public void Derive(string purpose, Span<byte> destination) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Bytes, destination, salt: default, Encoding.UTF8.GetBytes("piccolo/v1/" + purpose));

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_key);
        _wiped = true;
    }
}
