using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>Opens the WebSocket: HTTP/1.1, no proxy, no compression, and a certificate that the system or the configured roots vouch for.</summary>
internal sealed class RelayDialer(TunnelOptions options, TimeProvider time)
{
    public async Task<(RelaySocket? Socket, TunnelFailure? Failure)> DialAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        if (RelayEndpoint.Check(endpoint, options.AllowInsecureLoopback, out var hub) is { } problem) return (null, TunnelFailure.BadEndpoint(problem));
        X509Certificate2Collection roots;
        try
        {
            roots = ReadRoots();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return (null, TunnelFailure.BadRoots(unreadable.Message));
        }

        using var deadline = new CancellationTokenSource(options.DialTimeout, time);
        using var dialling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        string? distrust = null;
        var upgrade = new RelayUpgrade((_, certificate, chain, errors) => (distrust = ReasonForDistrust(certificate, chain, errors, roots)) is null);
        try
        {
            var (socket, status) = await upgrade.RunAsync(hub, options, time, dialling.Token);
            if (socket is not null) return (socket, null);
            return (null, status == HttpStatusCode.SwitchingProtocols ? TunnelFailure.BadChallenge : TunnelFailure.NotARelay((int)status));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, TunnelFailure.DialTimeout);
        }
        catch (HttpRequestException failure)
        {
            return (null, distrust is null ? TunnelFailure.Unreachable(Innermost(failure)) : TunnelFailure.Untrusted(distrust));
        }
        finally
        {
            foreach (var root in roots) root.Dispose();
        }
    }

    private X509Certificate2Collection ReadRoots()
    {
        var roots = new X509Certificate2Collection();
        // Read again for each attempt: a replaced file counts without a restart.
        if (!string.IsNullOrEmpty(options.TrustedRootsFile)) roots.ImportFromPemFile(options.TrustedRootsFile);
        return roots;
    }

    /// <returns>Null when the certificate is good: first by the system's roots, then by ours. A wrong name is never good.</returns>
    private static string? ReasonForDistrust(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, X509Certificate2Collection roots)
    {
        if (errors == SslPolicyErrors.None) return null;
        if (certificate is not X509Certificate2 leaf || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return "it sent none.";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return "it is for another host name.";
        if (roots.Count == 0) return Problems(chain);

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(roots);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.DisableCertificateDownloads = true;
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (chain is not null)
        {
            foreach (var element in chain.ChainElements) own.ChainPolicy.ExtraStore.Add(element.Certificate);
        }
        return own.Build(leaf) ? null : Problems(own);
    }

    private static string Problems(X509Chain? chain) =>
        chain is { ChainStatus.Length: > 0 }
            ? string.Join(' ', chain.ChainStatus.Select(status => status.StatusInformation).Distinct())
            : "no chain leads to a trusted root.";

    private static string Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner) failure = inner;
        return failure.Message;
    }
}
