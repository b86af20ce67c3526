using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Vault;

/// <summary>The data key, sealed by a key that Argon2id makes of the password.</summary>
internal sealed record PasswordWrap
{
    public const string Argon2id = "argon2id";
    private static readonly byte[] Place = "piccolo/keyset/v2/password"u8.ToArray();

    public required string Kdf { get; init; }
    public required int MemoryMib { get; init; }
    public required int Iterations { get; init; }
    public required byte[] Salt { get; init; }
    public required byte[] WrappedDataKey { get; init; }

    internal KdfCost GetCost() => new(MemoryMib, Iterations);

    public static PasswordWrap Create(string password, DataKey dataKey, KdfCost cost)
    {
        var salt = RandomNumberGenerator.GetBytes(PasswordKeyDerivation.SaltLength);
        Span<byte> key = stackalloc byte[KeyWrapping.KeyLength];
        try
        {
            PasswordKeyDerivation.Derive(password, salt, cost, key);
            return new PasswordWrap
            {
                Kdf = Argon2id,
                MemoryMib = cost.MemoryMiB,
                Iterations = cost.Iterations,
                Salt = salt,
                WrappedDataKey = KeyWrapping.Wrap(key, dataKey, Place),
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <returns>The data key, or null when the password is wrong (which cannot be told from a damaged wrap).</returns>
    public DataKey? Open(string password)
    {
        Span<byte> key = stackalloc byte[KeyWrapping.KeyLength];
        try
        {
            PasswordKeyDerivation.Derive(password, Salt, GetCost(), key);
            return KeyWrapping.Unwrap(key, WrappedDataKey, Place);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}

/// <summary>
/// The data key, sealed by a key that HKDF makes of the recovery words. They hold 256 random bits, so nothing is won by making a guess expensive.
/// </summary>
internal sealed record RecoveryWrap
{
    public const string HkdfSha256 = "hkdf-sha256";
    public const int SaltLength = 16;
    private static readonly byte[] Place = "piccolo/keyset/v2/recovery"u8.ToArray();

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
            return new RecoveryWrap { Kdf = HkdfSha256, Salt = salt, WrappedDataKey = KeyWrapping.Wrap(key, dataKey, Place) };
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
            return KeyWrapping.Unwrap(key, WrappedDataKey, Place);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    internal static void Derive(ReadOnlySpan<byte> entropy, ReadOnlySpan<byte> salt, Span<byte> key) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, entropy, key, salt, Encoding.UTF8.GetBytes("piccolo/v2/recovery"));
}

/// <summary>What both wraps do with their key. No key passes through memory that the collector may copy.</summary>
internal static class KeyWrapping
{
    public const int KeyLength = 32;
    public const int WrappedLength = DataKey.Length + SecretSealer.Overhead;

    public static byte[] Wrap(ReadOnlySpan<byte> key, DataKey dataKey, ReadOnlySpan<byte> place)
    {
        using var sealer = new SecretSealer(key);
        return sealer.Seal(dataKey.Bytes, place);
    }

    public static DataKey? Unwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> box, ReadOnlySpan<byte> place)
    {
        Span<byte> dataKey = stackalloc byte[DataKey.Length];
        try
        {
            using var sealer = new SecretSealer(key);
            return sealer.TryOpen(box, place, dataKey) ? new DataKey(dataKey) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }
}
