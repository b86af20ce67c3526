using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piccolo.Core.Vault;

/// <summary>The content of <c>keyset.json</c>: the data key, wrapped by a key that only the password yields. Binary members are base64.</summary>
internal sealed record KeySet
{
    public const int CurrentVersion = 1;
    private const int MaxFileLength = 16 * 1024;
    private static readonly byte[] WrapPlace = "piccolo/keyset/v1/password"u8.ToArray();

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    public required int Version { get; init; }
    public required string Kdf { get; init; }
    public required int MemoryMib { get; init; }
    public required int Iterations { get; init; }
    public required byte[] Salt { get; init; }
    public required byte[] WrappedDataKey { get; init; }

    private KdfCost Cost => new(MemoryMib, Iterations);

    public static KeySet Create(string password, DataKey dataKey, KdfCost cost)
    {
        var salt = RandomNumberGenerator.GetBytes(PasswordKeyDerivation.SaltLength);
        return new KeySet
        {
            Version = CurrentVersion,
            Kdf = "argon2id",
            MemoryMib = cost.MemoryMiB,
            Iterations = cost.Iterations,
            Salt = salt,
            WrappedDataKey = UseKey(password, salt, cost, sealer => sealer.Seal(dataKey.Bytes, WrapPlace)),
        };
    }

    /// <returns>The data key, or null when the password is wrong (which cannot be told from a damaged wrap).</returns>
    public DataKey? Open(string password)
    {
        var key = UseKey(password, Salt, Cost, sealer => sealer.Open(WrappedDataKey, WrapPlace));
        if (key is null) return null;
        var dataKey = new DataKey(key);
        CryptographicOperations.ZeroMemory(key);
        return dataKey;
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads a file that anybody may have written. Every bound is checked before any work is done for it.</summary>
    /// <exception cref="KeySetCorruptException">It is not a key set that this version can use.</exception>
    public static KeySet Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxFileLength) throw new KeySetCorruptException("the file is too large");
        KeySet set;
        try
        {
            set = JsonSerializer.Deserialize<KeySet>(file, Json) ?? throw new KeySetCorruptException("the file is empty");
        }
        catch (JsonException e)
        {
            throw new KeySetCorruptException("the file is not valid JSON of the expected shape", e);
        }
        if (set.Version != CurrentVersion) throw new KeySetCorruptException($"version {set.Version} is unknown");
        if (set.Kdf != "argon2id") throw new KeySetCorruptException("the key derivation is unknown");
        if (!set.Cost.IsAcceptable) throw new KeySetCorruptException("the key derivation's cost is out of bounds");
        if (set.Salt is not { Length: PasswordKeyDerivation.SaltLength }) throw new KeySetCorruptException("the salt has a wrong length");
        if (set.WrappedDataKey is not { Length: DataKey.Length + SecretSealer.Overhead }) throw new KeySetCorruptException("the wrapped key has a wrong length");
        return set;
    }

    private static T UseKey<T>(string password, byte[] salt, KdfCost cost, Func<SecretSealer, T> use)
    {
        Span<byte> key = stackalloc byte[32];
        try
        {
            PasswordKeyDerivation.Derive(password, salt, cost, key);
            using var sealer = new SecretSealer(key);
            return use(sealer);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}

/// <summary>The key-set file cannot be used. The message says why without quoting content.</summary>
public sealed class KeySetCorruptException(string message, Exception? inner = null) : Exception(message, inner);
