using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>Configuration section <c>Piccolo:Acme</c>: which certificate authority, and how it is spoken to.</summary>
public sealed class AcmeOptions
{
    public const string Section = "Piccolo:Acme";

    /// <summary>The only key type so far.</summary>
    public const string P256 = "P-256";

    /// <summary>The CA's directory (RFC 8555, 7.1.1); https only. Default Let's Encrypt production.</summary>
    [Required]
    public Uri DirectoryUrl { get; set; } = new("https://acme-v02.api.letsencrypt.org/directory");

    /// <summary>PEM file with roots that are trusted for talking to the CA, in addition to the system's. Default none.</summary>
    public string? TrustedRootsFile { get; set; }

    /// <summary>Where the CA may write to about the account. Default none.</summary>
    [EmailAddress]
    public string? Email { get; set; }

    /// <summary>Key type of certificates. Default and only value <c>P-256</c>.</summary>
    [AllowedValues(P256)]
    public string KeyType { get; set; } = P256;

    /// <summary>Binding to an account that the owner has with the CA (RFC 8555, 7.3.4). Default none.</summary>
    [Required]
    public ExternalAccountOptions ExternalAccount { get; set; } = new();

    /// <summary>How long one request to the CA may take, answer included. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one order may take from its first request to its certificate. Default 5 minutes; what is unfinished then is resumed later.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan OrderTimeout { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>What a CA gives out for external account binding; both or neither.</summary>
public sealed class ExternalAccountOptions
{
    public string? KeyId { get; set; }

    /// <summary>The MAC key, base64url as CAs print it.</summary>
    public string? HmacKey { get; set; }

    internal bool IsSet => !string.IsNullOrWhiteSpace(KeyId) && !string.IsNullOrWhiteSpace(HmacKey);
}
