using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>The rules that no single attribute can state; reports all that is wrong.</summary>
internal sealed class AcmeOptionsValidator : IValidateOptions<AcmeOptions>
{
    public ValidateOptionsResult Validate(string? name, AcmeOptions options)
    {
        var errors = new List<string>();
        // RFC 8555, 6.1: all of ACME runs over https.
        if (options.DirectoryUrl is not { IsAbsoluteUri: true } url || url.Scheme != Uri.UriSchemeHttps)
            errors.Add($"{AcmeOptions.Section}:DirectoryUrl must be an https URL.");
        if (options.TrustedRootsFile is { Length: > 0 } file && RootsError(file) is { } error) errors.Add(error);
        var external = options.ExternalAccount;
        if (string.IsNullOrWhiteSpace(external.KeyId) != string.IsNullOrWhiteSpace(external.HmacKey))
            errors.Add($"{AcmeOptions.Section}:ExternalAccount needs both KeyId and HmacKey.");
        else if (external.IsSet && !Base64Url.IsValid(external.HmacKey))
            errors.Add($"{AcmeOptions.Section}:ExternalAccount:HmacKey is not base64url.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static string? RootsError(string file)
    {
        try
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(file);
            return roots.Count > 0 ? null : $"{AcmeOptions.Section}:TrustedRootsFile '{file}' holds no certificate.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"{AcmeOptions.Section}:TrustedRootsFile '{file}' cannot be read: {e.Message}";
        }
    }
}
