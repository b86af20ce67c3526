using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>Makes self-signed certificates and says when one has to go. Pure.</summary>
internal static class SelfSigned
{
    /// <summary>Browsers and libraries refuse longer ones.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);

    /// <summary>So long before its end it is replaced.</summary>
    public static readonly TimeSpan ReplaceBefore = TimeSpan.FromDays(30);

    private static readonly TimeSpan Backdate = TimeSpan.FromDays(1);
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    public static X509Certificate2 Create(ECDsa key, string machineName, DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=Piccolo Appliance", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in NamesOf(machineName)) names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        var from = now - Backdate;
        return request.CreateSelfSigned(from, from + Lifetime);
    }

    /// <returns>One phrase, or null when it may stay.</returns>
    public static string? WhyReplace(X509Certificate2 certificate, DateTimeOffset now)
    {
        if (certificate.NotAfter.ToUniversalTime() - ReplaceBefore <= now.UtcDateTime) return "the last one ends soon";
        // Made while the clock was far ahead: nobody would accept it.
        return certificate.NotBefore.ToUniversalTime() > now.UtcDateTime ? "the last one begins in the future" : null;
    }

    private static IEnumerable<string> NamesOf(string machineName)
    {
        yield return "localhost";
        yield return "piccolo.local";
        var first = machineName.Split('.')[0].ToLowerInvariant();
        if (first != "piccolo" && DomainName.IsLabel(first)) yield return first + ".local";
    }
}
