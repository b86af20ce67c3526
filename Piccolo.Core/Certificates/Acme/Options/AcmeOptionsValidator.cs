using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Acme.Options;

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
