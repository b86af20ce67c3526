using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>Reads the issued chain, checked; of several the one whose root is preferred (RFC 8555, 7.4.2).</summary>
internal static class ChainDownload
{
    /// <returns>PEM, leaf first. Where no chain ends in <paramref name="preferredRoot"/>, the CA's first one.</returns>
    public static async Task<AcmeResult<string>> RunAsync(
        AcmeClient client, AcmeAccount account, Uri certificate, string? preferredRoot, LeafKey key, IReadOnlyList<string> names, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var first = await client.DownloadAsync(account, certificate, cancellationToken);
        if (first.Failure is { } missing) return missing;
        var check = ChainCheck.Check(first.Value.Pem, key.Algorithm, names, now);
        if (check.Failure is { } refused) return refused;
        if (string.IsNullOrWhiteSpace(preferredRoot) || RootOf(first.Value.Pem) == preferredRoot) return first.Value.Pem;
        foreach (var url in first.Value.Alternates)
        {
            var other = await client.DownloadAsync(account, url, cancellationToken);
            // An alternate that cannot be read or does not hold is passed over: there is one that does.
            if (other.Failure is null && ChainCheck.Check(other.Value.Pem, key.Algorithm, names, now).Failure is null
                && RootOf(other.Value.Pem) == preferredRoot)
            {
                return other.Value.Pem;
            }
        }
        return first.Value.Pem;
    }

    /// <summary>The common name of what the last certificate was signed by; chains are served without their root.</summary>
    internal static string? RootOf(string pem)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(pem);
            return chain.Count == 0 ? null : LeafFacts.CommonNameOf(chain[^1].IssuerName);
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            foreach (var certificate in chain) certificate.Dispose();
        }
    }
}
