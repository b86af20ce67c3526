using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// Mints the tokens by which the relay knows us: compact JWS (RFC 7515) with HS256 over the claims of RFC 7519 and the relay's own.
/// Every token is minted at the moment of its use; the routing claims are the same in all of a session.
/// </summary>
internal sealed class NexusToken(TunnelTarget target, long weight, TunnelOptions options, TimeProvider time)
{
    private const string Header = """{"alg":"HS256","typ":"JWT"}""";

    /// <summary>Stage 0: proves the secret, before the relay spends anything on us.</summary>
    public string Handshake() => Sign(nonce: null);

    /// <summary>Stage 1 and re-authentication: bound to the relay's nonce, so that no recorded token opens a session.</summary>
    public string Attest(string nonce) => Sign(nonce);

    private string Sign(string? nonce)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Header))}.{Base64Url.EncodeToString(Claims(nonce))}";
        // The relay takes the raw UTF-8 bytes of its setting; ours often comes with a line end from a file or a paste.
        var key = Encoding.UTF8.GetBytes(target.DeviceSecret.Trim());
        try
        {
            return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed)))}";
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private byte[] Claims(string? nonce)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartArray("hostnames");
            foreach (var hostname in target.Hostnames) json.WriteStringValue(hostname);
            json.WriteEndArray();
            json.WriteNumber("weight", weight);
            if (nonce is null) WriteSeconds(json, "handshake_max_age_seconds", options.HandshakeMaxAge);
            else json.WriteString("session_nonce", nonce);
            WriteSeconds(json, "reauth_interval_seconds", options.ReauthInterval);
            WriteSeconds(json, "reauth_grace_seconds", options.ReauthGrace);
            json.WriteString("iss", "authorizer");
            json.WriteString("sub", options.Name);
            json.WriteStartArray("aud");
            json.WriteStringValue("nexus");
            json.WriteEndArray();
            json.WriteNumber("exp", now + (long)options.TokenLifetime.TotalSeconds);
            json.WriteNumber("iat", now);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    // The relay takes integers only and reads an absent claim as zero.
    private static void WriteSeconds(Utf8JsonWriter json, string name, TimeSpan value)
    {
        if (value > TimeSpan.Zero) json.WriteNumber(name, Math.Max(1, (long)value.TotalSeconds));
    }
}
