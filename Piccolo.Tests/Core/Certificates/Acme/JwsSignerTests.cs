using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Piccolo.Core.Certificates.Acme.Wire;

namespace Piccolo.Tests.Core.Certificates.Acme;

internal sealed class JwsSignerTests
{
    private static readonly Uri Url = new("https://ca.test/new-order");

    // The P-256 key of RFC 7515, A.3.1; its thumbprint was computed with an independent tool (see the second test).
    private const string X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    private const string Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    private const string D = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

    [Test]
    public void Jwk_KeyOfRfc7515_HasItsCoordinatesInCanonicalForm()
    {
        using var signer = new JwsSigner(RfcKey());

        Assert.That(signer.Jwk, Is.EqualTo($$"""{"crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}"""));
    }

    [Test]
    public void Thumbprint_KeyOfRfc7515_MatchesOpenSsl()
    {
        using var signer = new JwsSigner(RfcKey());

        Assert.That(signer.Thumbprint, Is.EqualTo("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"));
        Assert.That(signer.KeyAuthorization("token"), Is.EqualTo("token.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"));
    }

    [Test]
    public void Sign_WithAccount_VerifiesAndCarriesKidNonceUrl()
    {
        using var key = RfcKey();
        using var signer = new JwsSigner(RfcKey());

        var (header, payload) = Verify(signer.Sign(Url, "n-1", new Uri("https://ca.test/acct/1"), "{}"u8), key);

        Assert.That(header.GetProperty("alg").GetString(), Is.EqualTo("ES256"));
        Assert.That(header.GetProperty("kid").GetString(), Is.EqualTo("https://ca.test/acct/1"));
        Assert.That(header.GetProperty("nonce").GetString(), Is.EqualTo("n-1"));
        Assert.That(header.GetProperty("url").GetString(), Is.EqualTo(Url.AbsoluteUri));
        Assert.That(header.TryGetProperty("jwk", out _), Is.False, "kid and jwk exclude each other (RFC 8555, 6.2)");
        Assert.That(payload, Is.EqualTo("{}"));
    }

    [Test]
    public void Sign_WithoutAccount_CarriesThePublicKeyAlone()
    {
        using var key = RfcKey();
        using var signer = new JwsSigner(RfcKey());

        var (header, payload) = Verify(signer.Sign(Url, "n-1", null, []), key);

        Assert.That(header.GetProperty("jwk").GetRawText(), Is.EqualTo(signer.Jwk));
        Assert.That(header.TryGetProperty("kid", out _), Is.False);
        Assert.That(payload, Is.Empty, "POST-as-GET has an empty payload");
    }

    [Test]
    public void Sign_UrlWithQuotes_StaysOneJsonString()
    {
        using var key = RfcKey();
        using var signer = new JwsSigner(RfcKey());
        var odd = new Uri("https://ca.test/order/\"},{\"x");

        var (header, _) = Verify(signer.Sign(odd, "n", odd, []), key);

        Assert.That(header.GetProperty("url").GetString(), Is.EqualTo(odd.OriginalString));
    }

    [Test]
    public void BindExternally_AnyKey_HmacVerifies()
    {
        using var signer = new JwsSigner(RfcKey());
        byte[] mac = [1, 2, 3, 4, 5, 6, 7, 8];

        using var jws = JsonDocument.Parse(signer.BindExternally(Url, "kid-1", mac));
        var head = jws.RootElement.GetProperty("protected").GetString()!;
        var body = jws.RootElement.GetProperty("payload").GetString()!;

        var expected = HMACSHA256.HashData(mac, Encoding.ASCII.GetBytes($"{head}.{body}"));
        Assert.That(Base64Url.DecodeFromChars(jws.RootElement.GetProperty("signature").GetString()), Is.EqualTo(expected));
        Assert.That(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(body)), Is.EqualTo(signer.Jwk));
        Assert.That(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(head)), Does.Contain("\"alg\":\"HS256\"").And.Contain("\"kid\":\"kid-1\""));
    }

    [Test]
    public void Construct_OtherCurve_Throws()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        Assert.That(() => new JwsSigner(key), Throws.ArgumentException);
    }

    private static ECDsa RfcKey() => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        D = Base64Url.DecodeFromChars(D),
        Q = new ECPoint { X = Base64Url.DecodeFromChars(X), Y = Base64Url.DecodeFromChars(Y) },
    });

    private static (JsonElement Header, string Payload) Verify(byte[] bytes, ECDsa key)
    {
        var jws = JsonDocument.Parse(bytes).RootElement;
        var head = jws.GetProperty("protected").GetString()!;
        var body = jws.GetProperty("payload").GetString()!;
        var signature = Base64Url.DecodeFromChars(jws.GetProperty("signature").GetString());
        Assert.That(signature, Has.Length.EqualTo(64), "ES256 is R and S, 32 octets each (RFC 7518, 3.4)");
        Assert.That(key.VerifyData(Encoding.ASCII.GetBytes($"{head}.{body}"), signature, HashAlgorithmName.SHA256), Is.True);
        return (JsonDocument.Parse(Base64Url.DecodeFromChars(head)).RootElement, Encoding.UTF8.GetString(Base64Url.DecodeFromChars(body)));
    }
}
