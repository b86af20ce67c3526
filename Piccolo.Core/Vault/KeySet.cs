using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piccolo.Core.Vault;

/// <summary>
/// The content of <c>keyset.json</c>: the data key, wrapped once by the password and, when the owner has made one, once by the recovery key. Binary
/// members are base64. ADR 0006 describes it.
/// </summary>
internal sealed record KeySet
{
    public const int CurrentVersion = 2;
    public const int MaxFileBytes = 16 * 1024;

    /// <summary>More than anybody can count to: only a changed file has more.</summary>
    private const long MaxTokenEpoch = 1L << 53;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        MaxDepth = 4,
        WriteIndented = true,
    };

    public required int Version { get; init; }
    public required PasswordWrap Password { get; init; }
    public RecoveryWrap? Recovery { get; init; }

    /// <summary>The password was set by somebody who had only the recovery words.</summary>
    public bool PasswordStale { get; init; }

    /// <summary>The recovery words have been used, so they may have been seen.</summary>
    public bool RecoveryStale { get; init; }

    /// <summary>Bearer tokens made before this was raised are worth nothing; absent means 0.</summary>
    public long? TokenEpoch { get; init; }

    public static KeySet Create(string password, DataKey dataKey, KdfCost cost) =>
        new() { Version = CurrentVersion, Password = PasswordWrap.Create(password, dataKey, cost) };

    /// <summary>The same, and no bearer token of before is in force any more.</summary>
    public KeySet RevokingTokens() => this with { TokenEpoch = checked((TokenEpoch ?? 0) + 1) };

    /// <summary>Opens with the recovery words, where the text is such words and there is a recovery key, and else with the password.</summary>
    /// <returns>Null when neither opens it.</returns>
    public DataKey? Open(string passwordOrWords)
    {
        Span<byte> entropy = stackalloc byte[RecoveryPhrase.EntropyLength];
        try
        {
            var isPhrase = RecoveryPhrase.TryRead(passwordOrWords, entropy) is null;
            return (isPhrase ? Recovery?.Open(entropy) : null) ?? Password.Open(passwordOrWords);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(entropy);
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads a file that anybody may have written. Every bound is checked before any work is done for it.</summary>
    /// <exception cref="KeySetCorruptException">It is not a key set that this version can use.</exception>
    public static KeySet Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxFileBytes) throw new KeySetCorruptException("the file is too large");
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
        if (set.TokenEpoch is < 0 or > MaxTokenEpoch) throw new KeySetCorruptException("the token epoch is out of bounds");
        Check(set.Password);
        if (set.Recovery is { } recovery) Check(recovery);
        return set;
    }

    private static void Check(PasswordWrap? wrap)
    {
        if (wrap is null) throw new KeySetCorruptException("the password's wrap is missing");
        if (wrap.Kdf != PasswordWrap.Argon2id) throw new KeySetCorruptException("the password's key derivation is unknown");
        if (!wrap.GetCost().IsAcceptable) throw new KeySetCorruptException("the key derivation's cost is out of bounds");
        if (wrap.Salt is not { Length: PasswordKeyDerivation.SaltLength }) throw new KeySetCorruptException("the password's salt has a wrong length");
        CheckBox(wrap.WrappedDataKey);
    }

    private static void Check(RecoveryWrap wrap)
    {
        if (wrap.Kdf != RecoveryWrap.HkdfSha256) throw new KeySetCorruptException("the recovery key's derivation is unknown");
        if (wrap.Salt is not { Length: RecoveryWrap.SaltLength }) throw new KeySetCorruptException("the recovery key's salt has a wrong length");
        CheckBox(wrap.WrappedDataKey);
    }

    private static void CheckBox(byte[]? box)
    {
        if (box is not { Length: KeyWrapping.WrappedLength }) throw new KeySetCorruptException("a wrapped key has a wrong length");
    }
}

/// <summary>The key-set file cannot be used. The message says why without quoting content.</summary>
public sealed class KeySetCorruptException(string message, Exception? inner = null) : Exception(message, inner);
