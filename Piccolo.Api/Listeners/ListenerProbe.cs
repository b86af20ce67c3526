using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Listeners;

/// <summary>Tries whether an app answers behind its guard port: by a connection, or by the path that its manifest names.</summary>
internal sealed class ListenerProbe(IOptions<IngressOptions> options, TimeProvider time) : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        // Each probe shows that the app takes a new connection.
        PooledConnectionLifetime = TimeSpan.Zero,
    });

    /// <returns>Null when it answers, else what happened instead, in one plain sentence.</returns>
    public async Task<string?> TryAsync(PublishedListener listener, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.Value.ProbeTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return listener.Definition.HealthPath is { } path
                ? await AskAsync(listener.GuardPort, path, either.Token) : await ConnectAsync(listener.GuardPort, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"The app did not answer within {options.Value.ProbeTimeout.TotalSeconds:0.###} s.");
        }
        catch (SocketException)
        {
            return "The app does not accept connections.";
        }
        catch (HttpRequestException failure)
        {
            return failure.HttpRequestError == HttpRequestError.ConnectionError
                ? "The app does not accept connections." : "The app broke off, or did not answer in HTTP.";
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<string?> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return null;
    }

    private async Task<string?> AskAsync(int port, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}{path}"));
        request.Headers.Host = "localhost";
        using var response = await _client.SendAsync(request, cancellationToken);
        return (int)response.StatusCode < 400
            ? null : string.Create(CultureInfo.InvariantCulture, $"The app answered its health path with {(int)response.StatusCode}.");
    }
}
