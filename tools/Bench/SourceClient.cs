using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Piccolo.Bench;

/// <summary>Calls the appliance from one loopback address of its own, over one kept connection, and measures.</summary>
internal sealed class SourceClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly HttpClient _http;

    public SourceClient(Uri address, IPAddress from) => _http = new HttpClient(new SocketsHttpHandler
    {
        UseCookies = false,
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = address, Timeout = Limit };

    public Task<(int Status, double Milliseconds)> UnlockAsync(string password, CancellationToken cancellationToken = default) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, "/api/v1/crypto/unlock") { Content = JsonContent.Create(new { password }) }, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<(int, double)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            var began = Stopwatch.GetTimestamp();
            using var response = await _http.SendAsync(request, cancellationToken);
            return ((int)response.StatusCode, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
    }
}
