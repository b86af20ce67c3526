using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>
/// The TLS-ALPN-01 answers that are pending right now (RFC 8737): a self-signed certificate per name, shown only to a client that offers
/// <see cref="Protocol"/> and nothing else, gone when the order ends. Thread-safe.
/// </summary>
public sealed class TlsAlpn01Challenges(TimeProvider time)
{
    /// <summary>The ALPN identifier (RFC 8737, 6.2).</summary>
    public const string Protocol = "acme-tls/1";

    /// <summary>id-pe-acmeIdentifier (RFC 8737, 6.1).</summary>
    public const string Extension = "1.3.6.1.5.5.7.1.31";

    private static readonly TimeSpan ClockTolerance = TimeSpan.FromDays(1);

    private ImmutableDictionary<string, ServerCertificateBundle> _pending =
        ImmutableDictionary.Create<string, ServerCertificateBundle>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Presents an answer until the result is disposed.</summary>
    public IDisposable Present(DomainName host, string keyAuthorization)
    {
        var bundle = new ServerCertificateBundle(Answer(host, keyAuthorization), [], [host]);
        ImmutableInterlocked.AddOrUpdate(ref _pending, host.Value, bundle, (_, _) => bundle);
        return new Presented(this, host.Value, bundle);
    }

    public ServerCertificateBundle? Find(string host) => _pending.GetValueOrDefault(host);

    /// <summary>RFC 8737, 3: the name alone, and the digest of the key authorization in a critical extension.</summary>
    private X509Certificate2 Answer(DomainName host, string keyAuthorization)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ACME challenge", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host.Value);
        request.CertificateExtensions.Add(names.Build());
        var digest = new AsnWriter(AsnEncodingRules.DER);
        digest.WriteOctetString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization)));
        request.CertificateExtensions.Add(new X509Extension(Extension, digest.Encode(), critical: true));
        var now = time.GetUtcNow();
        using var signed = request.CreateSelfSigned(now - ClockTolerance, now + ClockTolerance);
        // Once more from its bytes: the TLS stack wants a key that is not bound to this request.
        return X509CertificateLoader.LoadPkcs12(signed.Export(X509ContentType.Pkcs12), null);
    }

    private sealed class Presented(TlsAlpn01Challenges owner, string host, ServerCertificateBundle bundle) : IDisposable
    {
        public void Dispose()
        {
            // Another order may have put its own answer for the same name in our place.
            if (ReferenceEquals(owner._pending.GetValueOrDefault(host), bundle)) ImmutableInterlocked.TryRemove(ref owner._pending, host, out _);
        }
    }
}
