using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Certificates.Acme.Options;

/// <summary>Configuration section <c>Piccolo:Acme</c>: which certificate authority (CA) to use, and how.</summary>
public sealed class AcmeOptions
{
    public const string Section = "Piccolo:Acme";

    /// <summary>The default key type.</summary>
    public const string P256 = "P-256";
    public const string P384 = "P-384";
    public const string Rsa2048 = "RSA-2048";

    /// <summary>HTTP-01 first; TLS-ALPN-01 where the CA could not reach port 80, and the other way round.</summary>
    public const string Auto = "auto";
    public const string Http01 = "http-01";
    public const string TlsAlpn01 = "tls-alpn-01";

    /// <summary>The CA's ACME directory (RFC 8555, 7.1.1); https only.</summary>
    [Required]
    public Uri DirectoryUrl { get; set; } = new("https://acme-v02.api.letsencrypt.org/directory");

    /// <summary>Extra PEM roots for the connection to the CA, in addition to the system's.</summary>
    public string? TrustedRootsFile { get; set; }

    /// <summary>Contact address for the ACME account.</summary>
    [EmailAddress]
    public string? Email { get; set; }

    /// <summary>One of the profiles that the CA offers, such as <c>shortlived</c>; kept on renewal. Unset: the CA's default profile.</summary>
    [MaxLength(64)]
    public string? Profile { get; set; }

    /// <summary>Key type of certificates. A change applies from the next order on.</summary>
    [AllowedValues(P256, P384, Rsa2048)]
    public string KeyType { get; set; } = P256;

    /// <summary>How names are proven. <c>auto</c> uses HTTP-01, and TLS-ALPN-01 after the CA could not reach port 80.</summary>
    [AllowedValues(Auto, Http01, TlsAlpn01)]
    public string Challenge { get; set; } = Auto;

    /// <summary>Common name of the root that the chain should end in, where the CA offers several. Unset: the CA's first chain.</summary>
    [MaxLength(256)]
    public string? PreferredRoot { get; set; }

    /// <summary>External account binding (RFC 8555, 7.3.4). Set both or neither.</summary>
    [Required]
    public ExternalAccountOptions ExternalAccount { get; set; } = new();

    /// <summary>A second CA.</summary>
    [Required]
    public FallbackOptions Fallback { get; set; } = new();

    /// <summary>The CA's published limits, observed here too, so that they are never reached.</summary>
    [Required]
    public AcmeLimitsOptions Limits { get; set; } = new();

    /// <summary>How long one request to the CA may take, answer included.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one order may take from its first request to its certificate. An unfinished order is resumed later.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan OrderTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The first CA, and the second where there is one.</summary>
    internal ImmutableArray<CaOptions> Authorities()
    {
        var first = new CaOptions(DirectoryUrl, TrustedRootsFile, Email, string.IsNullOrWhiteSpace(Profile) ? null : Profile, ExternalAccount, RequestTimeout);
        return Fallback.DirectoryUrl is not { } second
            ? [first]
            : [first, new CaOptions(
                second, Fallback.TrustedRootsFile, Fallback.Email ?? Email, string.IsNullOrWhiteSpace(Fallback.Profile) ? null : Fallback.Profile,
                Fallback.ExternalAccount, RequestTimeout)];
    }
}

/// <summary>What a CA issues for external account binding; both or neither.</summary>
public sealed class ExternalAccountOptions
{
    /// <summary>The key's identifier.</summary>
    public string? KeyId { get; set; }

    /// <summary>The MAC key, base64url as CAs print it.</summary>
    public string? HmacKey { get; set; }

    internal bool IsSet => !string.IsNullOrWhiteSpace(KeyId) && !string.IsNullOrWhiteSpace(HmacKey);
}

/// <summary>A second CA, asked when the first has failed for <see cref="After"/>.</summary>
public sealed class FallbackOptions
{
    /// <summary>Its directory; https only. Unset: there is no second CA.</summary>
    public Uri? DirectoryUrl { get; set; }

    /// <summary>Extra PEM roots for the connection to it.</summary>
    public string? TrustedRootsFile { get; set; }

    /// <summary>Contact address for its account. Unset: that of the first.</summary>
    [EmailAddress]
    public string? Email { get; set; }

    /// <summary>One of the profiles that it offers. Unset: its default profile.</summary>
    [MaxLength(64)]
    public string? Profile { get; set; }

    /// <summary>External account binding with the second CA. Set both or neither.</summary>
    [Required]
    public ExternalAccountOptions ExternalAccount { get; set; } = new();

    /// <summary>
    /// How long the first CA must have failed for a certificate before the second is asked; never more than a tenth of the certificate's lifetime. Then the two
    /// take turns.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan After { get; set; } = TimeSpan.FromHours(6);
}

/// <summary>How to speak to one CA.</summary>
internal sealed record CaOptions(
    Uri DirectoryUrl, string? TrustedRootsFile, string? Email, string? Profile, ExternalAccountOptions ExternalAccount, TimeSpan RequestTimeout);
