using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Rig;

/// <summary>
/// A stranger on the internet: every name resolves to the relay's public port, and only the given roots are trusted. Connects from 127.0.0.77, so that the
/// address that an app sees can be told from all others on this machine.
/// </summary>
public sealed class PublicInternet(IPEndPoint relayTls, X509Certificate2Collection roots)
{
    public static readonly IPAddress StrangerAddress = IPAddress.Parse("127.0.0.77");

    /// <summary>A fresh client whose connections verify the chain against the given roots alone.</summary>
    public HttpClient NewClient(Action<X509Certificate2>? seen = null) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) => await ConnectAsync(cancellationToken),
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Verify((X509Certificate2)certificate!, chain!, errors, seen) },
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("stranger", "1") } },
    };

    /// <summary>The certificate that is served for a name, whoever issued it.</summary>
    public async Task<X509Certificate2> PeekCertificateAsync(string host, CancellationToken cancellationToken)
    {
        await using var tls = new SslStream(await ConnectAsync(cancellationToken));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            // Only looks: nothing is sent over this connection.
#pragma warning disable CA5359
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        }, cancellationToken);
        return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
    }

    private async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(StrangerAddress, 0));
            await socket.ConnectAsync(relayTls, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool Verify(X509Certificate2 leaf, X509Chain sent, SslPolicyErrors errors, Action<X509Certificate2>? seen)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return false;
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        };
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        foreach (var element in sent.ChainElements.Skip(1)) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        if (!chain.Build(leaf)) return false;
        seen?.Invoke(leaf);
        return true;
    }
}
