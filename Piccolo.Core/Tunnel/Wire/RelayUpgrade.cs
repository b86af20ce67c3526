using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using Piccolo.Core.Http;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>
/// TCP, TLS and the upgrade of RFC 6455, section 4.1, by the framework's HTTP/1.1 client: no proxy, no redirect, no extension, no protocol, and none of the
/// headers that an application may add.
/// </summary>
internal sealed class RelayUpgrade(RemoteCertificateValidationCallback validate)
{
    private const int KeyLength = 16;

    /// <returns>The socket, or the status with which something else answered (101: an upgrade, but to something else).</returns>
    public async Task<(RelaySocket? Socket, HttpStatusCode Status)> RunAsync(
        Uri hub, TunnelOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        RelayTransport? transport = null;
        var invoker = new HttpMessageInvoker(
            NewHandler(async (context, connecting) => transport = await RelayTransport.ConnectAsync(context.DnsEndPoint, time, connecting)));
        HttpResponseMessage? response = null;
        try
        {
            var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyLength));
            using var request = NewRequest(hub, key);
            response = await invoker.SendAsync(request, cancellationToken);
            if (response.StatusCode != HttpStatusCode.SwitchingProtocols || !IsOurs(response.Headers, key))
            {
                var status = response.StatusCode;
                response.Dispose();
                invoker.Dispose();
                return (null, status);
            }
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            return (new RelaySocket(stream, transport, options, time, response, invoker), response.StatusCode);
        }
        catch
        {
            response?.Dispose();
            invoker.Dispose();
            throw;
        }
    }

    private SocketsHttpHandler NewHandler(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        // Whoever traces us must not be told to the relay.
        ActivityHeadersPropagator = null,
        ConnectTimeout = Timeout.InfiniteTimeSpan,
        ConnectCallback = connect,
        SslOptions = { RemoteCertificateValidationCallback = validate },
    };

    private static HttpRequestMessage NewRequest(Uri hub, string key) => new(HttpMethod.Get, HttpUriOf(hub))
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Headers = { { "Connection", "Upgrade" }, { "Upgrade", "websocket" }, { "Sec-WebSocket-Version", "13" }, { "Sec-WebSocket-Key", key } },
    };

    private static Uri HttpUriOf(Uri hub) =>
        new UriBuilder(hub) { Scheme = hub.Scheme == Uri.UriSchemeWss ? Uri.UriSchemeHttps : Uri.UriSchemeHttp }.Uri;

    private static bool IsOurs(HttpResponseHeaders headers, string key)
    {
        var expected = WebSocketAccept.Of(key);
        return headers.Upgrade.Any(u => u.Name.Equals("websocket", StringComparison.OrdinalIgnoreCase))
            && headers.Connection.Contains("Upgrade", StringComparer.OrdinalIgnoreCase)
            && headers.TryGetValues("Sec-WebSocket-Accept", out var accept) && accept.SequenceEqual([expected])
            && !headers.Contains("Sec-WebSocket-Extensions") && !headers.Contains("Sec-WebSocket-Protocol");
    }
}
