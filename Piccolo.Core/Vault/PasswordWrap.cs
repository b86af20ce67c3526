using System.Security.Cryptography;

namespace Piccolo.Core.Vault;

/// <summary>The data key, sealed by a key that Argon2id makes of the password.</summary>
internal sealed record PasswordWrap
{
    public const string Argon2id = "argon2id";
    private static readonly byte[] AssociatedData = "piccolo/keyset/v2/password"u8.ToArray();

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
                WrappedDataKey = KeyWrapping.Wrap(key, dataKey, AssociatedData),
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
            return KeyWrapping.Unwrap(key, WrappedDataKey, AssociatedData);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}
