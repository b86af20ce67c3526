using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Vault;

/// <summary>
/// The data key, sealed by a key that HKDF makes of the recovery words. They hold 256 random bits, so nothing is won by making a guess expensive.
/// </summary>
internal sealed record RecoveryWrap
{
    public const string HkdfSha256 = "hkdf-sha256";
    public const int SaltLength = 16;
    private static readonly byte[] AssociatedData = "piccolo/keyset/v2/recovery"u8.ToArray();

    public required string Kdf { get; init; }
    public required byte[] Salt { get; init; }
    public required byte[] WrappedDataKey { get; init; }

    public static RecoveryWrap Create(ReadOnlySpan<byte> entropy, DataKey dataKey)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        Span<byte> key = stackalloc byte[KeyWrapping.KeyLength];
        try
        {
            Derive(entropy, salt, key);
            return new RecoveryWrap { Kdf = HkdfSha256, Salt = salt, WrappedDataKey = KeyWrapping.Wrap(key, dataKey, AssociatedData) };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <returns>The data key, or null when these are not the words.</returns>
    public DataKey? Open(ReadOnlySpan<byte> entropy)
    {
        Span<byte> key = stackalloc byte[KeyWrapping.KeyLength];
        try
        {
            Derive(entropy, Salt, key);
            return KeyWrapping.Unwrap(key, WrappedDataKey, AssociatedData);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    internal static void Derive(ReadOnlySpan<byte> entropy, ReadOnlySpan<byte> salt, Span<byte> key) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, entropy, key, salt, Encoding.UTF8.GetBytes("piccolo/v2/recovery"));
}
