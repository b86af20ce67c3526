using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

/// <summary>A value, or the sentence that says why there is none.</summary>
internal readonly record struct Checked<T>(T? Value, string? Refusal)
    where T : class
{
    public static implicit operator Checked<T>(T value) => new(value, null);

    public static implicit operator Checked<T>(string refusal) => new(null, refusal);
}

/// <summary>Verifies signature and time of a compact JWS (RFC 7515) with the secret that relay and backends share.</summary>
internal sealed class TokenValidator(string secret, TimeProvider time)
{
    private readonly byte[] _secret = Encoding.UTF8.GetBytes(secret);

    public Checked<TokenClaims> Validate(ReadOnlySpan<byte> token)
    {
        var result = Verify(Encoding.UTF8.GetString(token));
        return result.Refusal is null ? result : "jwt validation failed: " + result.Refusal;
    }

    private Checked<TokenClaims> Verify(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return "token is malformed: token contains an invalid number of segments";
        if (!TryReadObject(parts[0], out var header)) return "token is malformed: could not decode the header";
        if (!TryReadObject(parts[1], out var payload)) return "token is malformed: could not decode the claims";
        var claims = TokenClaims.Read(payload, out var wrong);
        // Longer than a close frame's reason may be, as the stock relay's text is: the peer sees a bare close.
        if (claims is null)
            return $"token is malformed: could not JSON decode claim: json: cannot unmarshal the value of the member {wrong} into its declared type";
        if (!TryDecode(parts[2], out var signature)) return "token is malformed: could not base64 decode signature";

        var algorithm = header.TryGetProperty("alg", out var alg) && alg.ValueKind is JsonValueKind.String ? alg.GetString() : null;
        var input = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        var expected = algorithm switch
        {
            "HS256" => HMACSHA256.HashData(_secret, input),
            "HS384" => HMACSHA384.HashData(_secret, input),
            "HS512" => HMACSHA512.HashData(_secret, input),
            _ => null,
        };
        if (expected is null) return "token is unverifiable: error while executing keyfunc: unexpected signing method";
        if (!CryptographicOperations.FixedTimeEquals(expected, signature)) return "token signature is invalid: signature is invalid";
        var faults = Faults(claims).ToList();
        return faults.Count == 0 ? claims : "token has invalid claims: " + string.Join(", ", faults);
    }

    private IEnumerable<string> Faults(TokenClaims claims)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        if (claims.ExpiresAt is { } expires && now >= expires) yield return "token is expired";
        if (claims.NotBefore is { } notBefore && now < notBefore) yield return "token is not valid yet";
        if (claims.Audience.All(string.IsNullOrEmpty)) yield return "token is missing required claim: aud claim is required";
        else if (!claims.Audience.Contains(Nexus.Audience)) yield return "token has invalid audience";
        if (string.IsNullOrEmpty(claims.Issuer)) yield return "token is missing required claim: iss claim is required";
        else if (claims.Issuer != Nexus.Issuer) yield return "token has invalid issuer";
    }

    private static bool TryReadObject(string segment, out JsonElement json)
    {
        json = default;
        if (!TryDecode(segment, out var bytes)) return false;
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
            if (document.RootElement.ValueKind is not JsonValueKind.Object) return false;
            json = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool TryDecode(string segment, out byte[] bytes)
    {
        bytes = [];
        // The stock decoder skips line ends, so a token with a trailing newline passes.
        segment = segment.Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        if (!segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return false;
        try
        {
            bytes = Base64Url.DecodeFromChars(segment);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
