using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Piccolo.Tests.Fakes;

/// <summary>A browser as the original's portal drives it: cookies, and the CSRF token fetched when it is first needed and dropped on any 403.</summary>
internal sealed class PortalClient : IDisposable
{
    private readonly HttpClient _http;
    private string? _csrf;

    /// <param name="from">The loopback address to call from.</param>
    public PortalClient(TestAppliance appliance, IPAddress? from = null) => _http = new HttpClient(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        CookieContainer = new CookieContainer(),
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { NoDelay = true };
            if (from is not null) socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri($"http://127.0.0.1:{appliance.HttpPort}/api/v1/") };

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<Answer> PostAsync(string path, object? body = null) => SendAsync(HttpMethod.Post, path, body);

    public async Task<Answer> WriteAsync(HttpMethod method, string path, object? body = null)
    {
        _csrf ??= (string?)(await GetAsync("auth/csrf")).Body["token"];
        var answer = await SendAsync(method, path, body);
        if (answer.Status == 403) _csrf = null;
        return answer;
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        if (_csrf is not null && method != HttpMethod.Get) request.Headers.Add("X-CSRF-Token", _csrf);
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Answer((int)response.StatusCode, text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!, response.Headers.RetryAfter?.Delta,
            response.Headers.Contains("Set-Cookie"));
    }

    public void Dispose() => _http.Dispose();

    internal sealed record Answer(int Status, JsonNode Body, TimeSpan? RetryAfter, bool SetsCookie)
    {
        public string? Code => (string?)Body["code"];
    }
}
