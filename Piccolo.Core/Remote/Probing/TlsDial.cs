using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Core.Remote.Probing;

/// <summary>What a TLS server showed of itself.</summary>
/// <param name="Key">SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.</param>
/// <param name="Issuer">For a sentence to the owner: bounded, printable.</param>
internal sealed record ShownKey(string Key, string Issuer)
{
    private const int MaxIssuerChars = 100;

    public static ShownKey Of(X509Certificate2 leaf) => new(KeyOf(leaf), Printable(leaf.Issuer));

    public static string KeyOf(X509Certificate2 leaf) => Convert.ToHexStringLower(SHA256.HashData(leaf.PublicKey.ExportSubjectPublicKeyInfo()));

    private static string Printable(string text) => new([.. text.Take(MaxIssuerChars).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)]);
}

/// <summary>How a dial ended before or in the handshake.</summary>
/// <param name="Shown">What the server showed, also when that ended the dial; null when it came to no certificate.</param>
/// <param name="Problem">One sentence; null when the stream is open under an accepted key.</param>
internal sealed record TlsDialResult(SslStream? Stream, ShownKey? Shown, string? Problem) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>
/// Dials a TLS server and looks at its key. Who issued the certificate does not count here: the key is compared with one that is known. A handshake whose
/// key is not accepted is broken off by us, so that nothing can be sent to a stranger.
/// </summary>
internal static class TlsDial
{
    /// <param name="accepts">Asked once, with the key that the server showed.</param>
    /// <param name="offersHttp">Whether HTTP/1.1 is offered by ALPN.</param>
    public static async Task<TlsDialResult> ConnectAsync(
        IPEndPoint server, string name, Func<ShownKey, bool> accepts, bool offersHttp, CancellationToken cancellationToken)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellationToken);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return new TlsDialResult(null, null, $"{server} cannot be reached: {Say(e)}.");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        ShownKey? shown = null;
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = name,
                ApplicationProtocols = offersHttp ? [SslApplicationProtocol.Http11] : null,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                CertificateChainPolicy = NoDownloads(),
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 leaf && accepts(shown = ShownKey.Of(leaf)),
            }, cancellationToken);
            return new TlsDialResult(tls, shown, null);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or CryptographicException)
        {
            await tls.DisposeAsync();
            return new TlsDialResult(
                null, shown,
                shown is null ? $"{server} ended the connection before it showed a certificate." : $"{server} broke off after it had shown a certificate.");
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whoever answers must not be able to send us to addresses of its choice for the sake of its chain.</summary>
    private static X509ChainPolicy NoDownloads() => new() { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };

    private static string Say(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "the connection was refused",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no route to it",
        SocketError.TimedOut => "it does not answer",
        _ => "the connection failed",
    };
}
