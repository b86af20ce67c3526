using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates;

/// <summary>
/// Looks whether what is held was revoked, it or its issuer: for CAs without renewal information, and for whoever revokes behind this device's back. Only a
/// list that the issuer signed counts, so that it may come by plain HTTP. Thread-safe. Owns the connections.
/// </summary>
internal sealed class RevocationWatch(AcmeHttp http, Func<X509Certificate2Collection> roots) : IDisposable
{
    /// <summary>Lists of public CAs come in parts of some hundred KiB.</summary>
    public const int MaxListBytes = 16 * 1024 * 1024;

    public static RevocationWatch Create(TimeSpan timeout, TimeProvider time) => new(
        new AcmeHttp(
            new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxResponseDrainSize = 0, ConnectTimeout = TimeSpan.FromSeconds(10), PooledConnectionLifetime = TimeSpan.FromMinutes(5) },
            timeout, time, MaxListBytes),
        SystemRoots);

    /// <returns>The revoked one; null when none is, as far as could be found out.</returns>
    public async Task<X509Certificate2?> FindRevokedAsync(ServerCertificateBundle bundle, CancellationToken cancellationToken)
    {
        X509Certificate2[] chain = [bundle.Leaf, .. bundle.Context.IntermediateCertificates];
        for (var i = 0; i < chain.Length; i++)
        {
            if (RevocationList.AddressesOf(chain[i]) is not { IsEmpty: false } addresses) continue;
            // Chains are served without their root.
            if ((i + 1 < chain.Length ? chain[i + 1] : RootOf(chain[i])) is not { } issuer) continue;
            foreach (var url in addresses)
            {
                var answer = await http.SendAsync(HttpMethod.Get, url, null, null, cancellationToken);
                if (answer.Failure is not null || !answer.Value.IsSuccess || RevocationList.Holds(answer.Value.Body, chain[i], issuer) is not { } isRevoked) continue;
                if (isRevoked) return chain[i];
                break;
            }
        }
        return null;
    }

    public void Dispose() => http.Dispose();

    private X509Certificate2? RootOf(X509Certificate2 certificate) => roots().FirstOrDefault(r => ChainLink.IsSignedBy(certificate, r));

    private static X509Certificate2Collection SystemRoots()
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
        return store.Certificates;
    }
}
