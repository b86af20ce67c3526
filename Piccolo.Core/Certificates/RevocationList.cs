using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Core.Certificates;

/// <summary>Lists of revoked certificates (RFC 5280, 5): where a certificate says that it would be listed, and whether it is. Pure.</summary>
internal static class RevocationList
{
    private const string DistributionPoints = "2.5.29.31";
    private const int MaxAddresses = 4;

    private static readonly Asn1Tag First = new(TagClass.ContextSpecific, 0);
    private static readonly Asn1Tag Address = new(TagClass.ContextSpecific, 6);

    /// <summary>The addresses that a certificate names (RFC 5280, 4.2.1.13); empty where it names none that can be fetched.</summary>
    public static ImmutableArray<Uri> AddressesOf(X509Certificate2 certificate)
    {
        var found = ImmutableArray.CreateBuilder<Uri>();
        try
        {
            if (certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == DistributionPoints) is not { } extension) return [];
            var points = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (points.HasData && found.Count < MaxAddresses) Add(points.ReadSequence(), found);
        }
        catch (AsnContentException)
        {
            // What is malformed names nothing.
        }
        return found.ToImmutable();
    }

    /// <returns>Whether <paramref name="issuer"/> lists the certificate as revoked; null when this is no list of this issuer's.</returns>
    public static bool? Holds(byte[] list, X509Certificate2 certificate, X509Certificate2 issuer)
    {
        try
        {
            if (!ChainLink.IsSignatureOf(list, issuer)) return null;
            // Version, algorithm, issuer, this update, next update, and what is revoked (RFC 5280, 5.1). A list that is old may lack something, but what it holds is revoked.
            var body = new AsnReader(list, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (body.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) body.ReadInteger();
            body.ReadSequence();
            if (!body.ReadEncodedValue().Span.SequenceEqual(issuer.SubjectName.RawData)) return null;
            body.ReadEncodedValue();
            if (body.HasData && IsTime(body.PeekTag())) body.ReadEncodedValue();
            return body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) && Lists(body.ReadSequence(), certificate.SerialNumberBytes.Span);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    private static bool Lists(AsnReader revoked, ReadOnlySpan<byte> serial)
    {
        var own = serial.TrimStart((byte)0);
        while (revoked.HasData)
        {
            if (revoked.ReadSequence().ReadIntegerBytes().Span.TrimStart((byte)0).SequenceEqual(own)) return true;
        }
        return false;
    }

    private static void Add(AsnReader point, ImmutableArray<Uri>.Builder found)
    {
        if (!point.HasData || !point.PeekTag().HasSameClassAndValue(First)) return;
        var name = point.ReadSequence(First);
        if (!name.HasData || !name.PeekTag().HasSameClassAndValue(First)) return;
        var full = name.ReadSequence(First);
        while (full.HasData)
        {
            if (!full.PeekTag().HasSameClassAndValue(Address)) full.ReadEncodedValue();
            else if (Uri.TryCreate(full.ReadCharacterString(UniversalTagNumber.IA5String, Address), UriKind.Absolute, out var url) && url.Scheme is "http" or "https") found.Add(url);
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);
}
