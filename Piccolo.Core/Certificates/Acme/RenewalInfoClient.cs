using System.Buffers.Text;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>The CA's suggestion when to renew one certificate (RFC 9773, 4.2), unjudged.</summary>
/// <param name="RetryAfter">When to ask again, as the CA says.</param>
internal sealed record RenewalHint(DateTimeOffset Start, DateTimeOffset End, string? Explanation, TimeSpan? RetryAfter);

/// <summary>ACME renewal information (RFC 9773). Thread-safe.</summary>
internal sealed class RenewalInfoClient(AcmeChannel channel)
{
    private const string AuthorityKeyId = "2.5.29.35";

    /// <returns>The hint; null where the CA gives none.</returns>
    public async Task<AcmeResult<RenewalHint?>> AskAsync(string certificateId, CancellationToken cancellationToken)
    {
        var directory = await channel.DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        if (directory.Value.RenewalInfo is not { } url) return (RenewalHint?)null;
        var answer = await channel.GetAsync(new Uri($"{url.AbsoluteUri.TrimEnd('/')}/{certificateId}"), cancellationToken);
        if (answer.Failure is { } failure) return failure;
        var message = AcmeChannel.Read<RenewalInfoMessage>(answer.Value);
        if (message.Failure is { } bad) return bad;
        return message.Value.SuggestedWindow is { Start: { } start, End: { } end } && start < end
            ? new RenewalHint(start, end, Link(message.Value.ExplanationURL), answer.Value.RetryAfter)
            : AcmeFailure.Bad("bad_window", "The CA sent an invalid renewal window (its end is before its start).");
    }

    /// <summary>Key identifier of the issuer, dot, serial, both base64url (RFC 9773, 4.1); null for a leaf that names no issuer key.</summary>
    public static string? CertificateId(X509Certificate2 leaf)
    {
        try
        {
            if (leaf.Extensions.FirstOrDefault(e => e.Oid?.Value == AuthorityKeyId) is not { } extension) return null;
            var identifier = new X509AuthorityKeyIdentifierExtension(extension.RawData, extension.Critical).KeyIdentifier;
            // The serial as DER has it: with the zero byte that keeps a high bit from being a sign.
            var parts = new AsnReader(leaf.RawData, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (parts.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 0))) parts.ReadEncodedValue();
            var serial = parts.ReadIntegerBytes();
            return identifier is { Length: > 0 } key ? $"{Base64Url.EncodeToString(key.Span)}.{Base64Url.EncodeToString(serial.Span)}" : null;
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    private static string? Link(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var link) && link.Scheme is "https" or "http" ? AcmeProblem.Clean(url) : null;
}
