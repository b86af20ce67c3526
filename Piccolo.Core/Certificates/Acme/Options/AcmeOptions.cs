using System.Buffers.Text;
using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Acme.Messages;

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

/// <summary>The rules that no single attribute can state; reports all that is wrong.</summary>
internal sealed class AcmeOptionsValidator : IValidateOptions<AcmeOptions>
{
    public ValidateOptionsResult Validate(string? name, AcmeOptions options)
    {
        var errors = new List<string>();
        // RFC 8555, 6.1: all of ACME runs over https.
        if (!AcmeDirectory.IsSecure(options.DirectoryUrl)) errors.Add($"{AcmeOptions.Section}:DirectoryUrl must be an https URL.");
        Check(AcmeOptions.Section, options.TrustedRootsFile, options.ExternalAccount, errors);
        if (options.Fallback.DirectoryUrl is { } second)
        {
            if (!AcmeDirectory.IsSecure(second)) errors.Add($"{AcmeOptions.Section}:Fallback:DirectoryUrl must be an https URL.");
            if (second == options.DirectoryUrl) errors.Add($"{AcmeOptions.Section}:Fallback:DirectoryUrl is the first CA's own: a second one must be another.");
            Check($"{AcmeOptions.Section}:Fallback", options.Fallback.TrustedRootsFile, options.Fallback.ExternalAccount, errors);
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Check(string section, string? rootsFile, ExternalAccountOptions external, List<string> errors)
    {
        if (rootsFile is { Length: > 0 } && RootsError(section, rootsFile) is { } error) errors.Add(error);
        if (string.IsNullOrWhiteSpace(external.KeyId) != string.IsNullOrWhiteSpace(external.HmacKey))
            errors.Add($"{section}:ExternalAccount needs both KeyId and HmacKey.");
        else if (external.IsSet && !Base64Url.IsValid(external.HmacKey))
            errors.Add($"{section}:ExternalAccount:HmacKey is not base64url.");
    }

    private static string? RootsError(string section, string file)
    {
        try
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(file);
            return roots.Count > 0 ? null : $"{section}:TrustedRootsFile '{file}' holds no certificate.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"{section}:TrustedRootsFile '{file}' cannot be read: {e.Message}";
        }
    }
}
