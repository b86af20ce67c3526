using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Piccolo.Rig;

/// <summary>
/// Drives an appliance through its public API, as a script of the owner would. Every refusal becomes an exception with the problem's own words.
/// </summary>
public sealed class ApplianceClient(Uri baseAddress) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() })
    {
        BaseAddress = baseAddress,
        Timeout = Limit,
    };

    private string? _password;

    public Uri BaseAddress => baseAddress;

    public Task SetUpAsync(string password) => PostAsync("/api/v1/crypto/setup", new { password });

    public Task UnlockAsync(string password)
    {
        _password = password;
        return PostAsync("/api/v1/crypto/unlock", new { password });
    }

    /// <summary>Trades the browser-like session, and the password that began it, for a bearer token, which this client uses from then on.</summary>
    public async Task<string> TakeTokenAsync(string name)
    {
        var csrf = await GetAsync("/api/v1/auth/csrf");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/auth/tokens") { Content = JsonContent.Create(new { name, password = _password }) };
        request.Headers.Add("X-CSRF-Token", (string)csrf["token"]!);
        var token = (string)(await SendAsync(request))["token"]!;
        UseToken(token);
        return token;
    }

    public void UseToken(string token) => _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

    public Task<JsonNode> InstallAsync(string manifest) => SendAsync(new HttpRequestMessage(HttpMethod.Post, "/api/v1/apps")
    {
        Content = new StringContent(manifest, Encoding.UTF8, "application/yaml"),
    });

    public Task<JsonNode> RemoveAsync(string app) => SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/apps/{app}"));

    public Task<JsonNode> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<JsonNode> PostAsync(string path, object? body = null) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = body is null ? null : JsonContent.Create(body) });

    /// <summary>For callers that look at refusals themselves.</summary>
    public Task<HttpResponseMessage> SendRawAsync(HttpRequestMessage request) => _http.SendAsync(request);

    public void Dispose() => _http.Dispose();

    private async Task<JsonNode> SendAsync(HttpRequestMessage request)
    {
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var what = $"{request.Method} {request.RequestUri}";
        if (!response.IsSuccessStatusCode) throw new ApplianceRefusedException(what, response.StatusCode, Sentence(text));
        return JsonNode.Parse(text) ?? throw new JsonException($"{what} answered 'null'.");
    }

    private static string Sentence(string text)
    {
        try
        {
            return (string?)JsonNode.Parse(text)?["detail"] ?? text;
        }
        catch (JsonException)
        {
            return text;
        }
    }
}

/// <summary>The appliance refused a request; the message holds its own sentence.</summary>
public sealed class ApplianceRefusedException(string what, HttpStatusCode status, string detail) : Exception($"{what}: {(int)status} {detail}")
{
    public HttpStatusCode Status { get; } = status;

    public string Detail { get; } = detail;
}
