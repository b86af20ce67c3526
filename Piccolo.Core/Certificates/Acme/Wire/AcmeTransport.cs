using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>The connections to the CA: system roots plus the configured ones, no redirects, no cookies, bounded headers.</summary>
internal static class AcmeTransport
{
    private const int MaxHeaderKiB = 32;

    public static SocketsHttpHandler Create(CaOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxResponseHeadersLength = MaxHeaderKiB,
            // An answer that is too large is not read to its end for the sake of the connection.
            MaxResponseDrainSize = 0,
            MaxConnectionsPerServer = 8,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // Addresses and certificates of a CA change; a pool that lives for ever would not notice.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        handler.ConnectCallback = async (context, token) =>
            new NetworkStream(await HappyEyeballs.ConnectAsync(context.DnsEndPoint, TimeProvider.System, token), ownsSocket: true);
        var roots = new X509Certificate2Collection();
        if (!string.IsNullOrEmpty(options.TrustedRootsFile)) roots.ImportFromPemFile(options.TrustedRootsFile);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors, roots);
        return handler;
    }

    private static bool IsTrusted(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors, X509Certificate2Collection roots)
    {
        if (errors == SslPolicyErrors.None) return true;
        // Only a missing root may be made good here: a wrong name or no certificate stays an error.
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf) return false;
        if (roots.Count == 0) return Refuse(sent, leaf);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        // What the server sent beside its leaf.
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        chain.ChainPolicy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.1"));
        return chain.Build(leaf) || Refuse(chain, leaf);
    }

    /// <summary>A CA keeps its own certificate in date: where only the dates are wrong, it is our clock that is.</summary>
    private static bool Refuse(X509Chain? chain, X509Certificate2 leaf)
    {
        var faults = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status) ?? X509ChainStatusFlags.NoError;
        if (faults == X509ChainStatusFlags.NotTimeValid) throw new CertificateOutOfDateException(leaf);
        return false;
    }
}

/// <summary>Thrown inside a handshake whose only fault are dates, so that the clock can be named as the cause.</summary>
internal sealed class CertificateOutOfDateException(X509Certificate2 certificate) : AuthenticationException(
    $"The certificate authority's own certificate is valid from {certificate.NotBefore.ToUniversalTime():u} to "
    + $"{certificate.NotAfter.ToUniversalTime():u}, which does not include the time that this device has.");
