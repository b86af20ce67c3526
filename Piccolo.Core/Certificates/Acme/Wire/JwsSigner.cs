using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>
/// Signs requests with an account's key: flattened JWS (RFC 7515, 7.2.2) with ES256, as RFC 8555, 6.2 wants it. Thread-safe.
/// </summary>
internal sealed class JwsSigner : IDisposable
{
    private readonly ECDsa _key;
    private readonly Lock _gate = new();

    /// <param name="key">A P-256 key; owned from here on.</param>
    public JwsSigner(ECDsa key)
    {
        if (key.KeySize != 256) throw new ArgumentException("ES256 needs a P-256 key.", nameof(key));
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        // Members in lexicographic order and without white space: this text is also what the thumbprint hashes (RFC 7638, 3).
        Jwk = $$"""{"crv":"P-256","kty":"EC","x":"{{Encode(point.X!)}}","y":"{{Encode(point.Y!)}}"}""";
        Thumbprint = Encode(SHA256.HashData(Encoding.UTF8.GetBytes(Jwk)));
    }

    /// <summary>The public key as JSON Web Key (RFC 7517).</summary>
    public string Jwk { get; }

    /// <summary>RFC 7638, SHA-256, base64url.</summary>
    public string Thumbprint { get; }

    /// <summary>What a challenge's answer says (RFC 8555, 8.1).</summary>
    public string KeyAuthorization(string token) => $"{token}.{Thumbprint}";

    /// <param name="account">The account's URL, or null to sign with the bare key, as only newAccount may.</param>
    /// <param name="payload">Empty for POST-as-GET (RFC 8555, 6.3).</param>
    public byte[] Sign(Uri url, string nonce, Uri? account, ReadOnlySpan<byte> payload)
    {
        var signer = account is null ? $"\"jwk\":{Jwk}" : $"\"kid\":{Quote(account.OriginalString)}";
        return Flatten($$"""{"alg":"ES256",{{signer}},"nonce":{{Quote(nonce)}},"url":{{Quote(url.OriginalString)}}}""", payload, Sign);
    }

    /// <summary>Binds this key to an account that the owner has elsewhere: HS256 over the public key (RFC 8555, 7.3.4).</summary>
    public byte[] BindExternally(Uri newAccount, string keyId, byte[] macKey)
    {
        var header = $$"""{"alg":"HS256","kid":{{Quote(keyId)}},"url":{{Quote(newAccount.OriginalString)}}}""";
        return Flatten(header, Encoding.UTF8.GetBytes(Jwk), input => HMACSHA256.HashData(macKey, input));
    }

    public void Dispose() => _key.Dispose();

    private byte[] Sign(byte[] input)
    {
        lock (_gate) return _key.SignData(input, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static byte[] Flatten(string header, ReadOnlySpan<byte> payload, Func<byte[], byte[]> sign)
    {
        var head = Encode(Encoding.UTF8.GetBytes(header));
        var body = Encode(payload);
        var signature = Encode(sign(Encoding.ASCII.GetBytes($"{head}.{body}")));
        return Encoding.ASCII.GetBytes($$"""{"protected":"{{head}}","payload":"{{body}}","signature":"{{signature}}"}""");
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
