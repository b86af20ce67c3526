using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Piccolo.Tests.Fakes;

/// <summary>
/// Somebody who calls the API from an address of their own on the loopback network: a browser with cookies and the CSRF token of its session, or, given a
/// token, a script.
/// </summary>
internal sealed class Caller : IDisposable
{
    private readonly HttpClient _http;
    private readonly CookieContainer _cookies = new();

    /// <param name="address">Each of 127.0.0.0/8 is counted for itself where guesses are limited.</param>
    public Caller(TestAppliance appliance, string address, string? token = null)
    {
        Address = address;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            CookieContainer = _cookies,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri($"http://127.0.0.1:{appliance.HttpPort}/api/v1/") };
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public string Address { get; }

    /// <summary>Header fields that every request carries.</summary>
    public HttpRequestHeaders Always => _http.DefaultRequestHeaders;

    /// <param name="body">An object becomes JSON; content goes as it is.</param>
    public async Task<(int Status, byte[] Content)> SendAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Parse(method), path)
        {
            Content = body is null ? null : body as HttpContent ?? JsonContent.Create(body),
        };
        if (method != "GET" && await CsrfAsync() is { } csrf) request.Headers.Add("X-CSRF-Token", csrf);
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public async Task<JsonNode> JsonAsync(string method, string path, object? body = null) => JsonNode.Parse((await SendAsync(method, path, body)).Content)!;

    public async Task<int> StatusAsync(string method, string path, object? body = null) => (await SendAsync(method, path, body)).Status;

    public void Dispose() => _http.Dispose();

    /// <summary>Asked anew before each write: sessions end and begin in between.</summary>
    private async Task<string?> CsrfAsync() => _cookies.Count == 0 ? null : (string?)(await JsonAsync("GET", "auth/csrf"))["token"];
}
