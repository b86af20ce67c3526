using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Piccolo.Tests.Fakes.Authorities;

/// <summary>
/// A certificate authority in this process that is honest until a step is scripted otherwise. It believes every challenge without looking.
/// Steps: <c>dir nonce new-account acct orders new-order order authz chall finalize cert</c>.
/// </summary>
internal sealed class HostileCa : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<int, ScriptedOrder> _orders = new();
    private readonly ConcurrentDictionary<string, int> _counts = new();
    private int _nonce;
    private int _lastOrder;

    private HostileCa(WebApplication app, TestAuthority authority, string folder)
    {
        (_app, Authority) = (app, authority);
        TrustFile = Path.Combine(folder, "hostile-ca-root.pem");
        File.WriteAllText(TrustFile, authority.Root.ExportCertificatePem());
    }

    public TestAuthority Authority { get; }

    public string TrustFile { get; }

    public Uri Origin => new(_app.Urls.Single());

    public Uri DirectoryUrl => new(Origin, "/dir");

    /// <summary>Step to answer; null falls through to the honest answer.</summary>
    public ConcurrentDictionary<string, Func<HttpContext, int, Task<bool>>> Script { get; } = new();

    /// <summary>What is served for an issued certificate; the default is the true chain.</summary>
    public Func<CertificateRequest, string>? Chain { get; set; }

    /// <summary>Where everything but the directory lies; set to another, what was before is gone.</summary>
    public string Place { get; set; } = "";

    /// <summary>Whether the directory offers renewal information (RFC 9773); it answers 404 for each certificate.</summary>
    public bool HasRenewalInfo { get; set; }

    /// <summary>The profiles that the directory offers; null for none.</summary>
    public string[]? Profiles { get; set; }

    /// <summary>For so many orders the connection breaks after they were made.</summary>
    public int LosesAnswersToOrders { get; set; }

    /// <summary>How an order that names the certificate to replace is refused; null takes it.</summary>
    public (int Status, string Type)? RefusesReplaces { get; set; }

    /// <summary>The greatest number of orders that were open at once.</summary>
    public int MostOpenOrders { get; private set; }

    public int Count(string step) => _counts.GetValueOrDefault(step);

    public static async Task<HostileCa> StartAsync(string folder)
    {
        var authority = new TestAuthority();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, 0, o => o.UseHttps(authority.IssueServer()));
            k.Limits.MinResponseDataRate = null;
        });
        var app = builder.Build();
        var ca = new HostileCa(app, authority, folder);
        app.Run(ca.AnswerAsync);
        await app.StartAsync();
        return ca;
    }

    /// <summary>Answers a step with a problem document.</summary>
    public void Refuse(string step, int status, string type, string detail, string? retryAfter = null, int times = int.MaxValue) =>
        Script[step] = async (context, n) =>
    {
        if (n > times) return false;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        await ProblemAsync(context, status, type, detail);
        return true;
    };

    /// <summary>Answers a step with any bytes.</summary>
    public void Say(string step, int status, string contentType, string body) => Script[step] = async (context, _) =>
    {
        await WriteAsync(context, status, contentType, body);
        return true;
    };

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Authority.Dispose();
    }

    public static async Task WriteAsync(HttpContext context, int status, string contentType, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        await context.Response.WriteAsync(body);
    }

    private static Task ProblemAsync(HttpContext context, int status, string type, string detail) =>
        WriteAsync(context, status, "application/problem+json", JsonSerializer.Serialize(new { type = "urn:ietf:params:acme:error:" + type, detail, status }));

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Trim('/');
        var moved = path != "dir" && Place.Length > 0;
        if (moved && !path.StartsWith(Place + "/", StringComparison.Ordinal))
        {
            await WriteAsync(context, 404, "text/plain", "nothing here any longer");
            return;
        }
        var parts = (moved ? path[(Place.Length + 1)..] : path).Split('/');
        var step = parts[0];
        var count = _counts.AddOrUpdate(step, 1, (_, n) => n + 1);
        context.Response.Headers["Replay-Nonce"] = $"nonce{Interlocked.Increment(ref _nonce)}";
        if (Script.TryGetValue(step, out var scripted) && await scripted(context, count)) return;
        var id = parts.Length > 1 ? int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : 0;
        var payload = step is "dir" or "nonce" ? "" : await PayloadAsync(context.Request);
        switch (step)
        {
            case "dir":
                await JsonAsync(context, 200, new
                {
                    newNonce = Url("nonce"),
                    newAccount = Url("new-account"),
                    newOrder = Url("new-order"),
                    renewalInfo = HasRenewalInfo ? Url("renewal") : null,
                    meta = Profiles is null ? null : new { profiles = Profiles.ToDictionary(p => p) },
                });
                break;
            case "nonce":
                break;
            case "new-account":
                context.Response.Headers.Location = Url("acct/1");
                await JsonAsync(context, 201, new { status = "valid" });
                break;
            case "acct":
                await JsonAsync(context, 200, new { status = "valid", orders = Url("orders/1") });
                break;
            case "orders":
                await JsonAsync(context, 200, new { orders = _orders.Keys.Order().Select(o => Url($"order/{o}")) });
                break;
            case "new-order":
                if (RefusesReplaces is { } refusal && JsonDocument.Parse(payload).RootElement.TryGetProperty("replaces", out _))
                {
                    await ProblemAsync(context, refusal.Status, refusal.Type, "No such certificate.");
                    break;
                }
                var names = JsonDocument.Parse(payload).RootElement.GetProperty("identifiers").EnumerateArray().Select(i => i.GetProperty("value").GetString()!)
                    .ToList();
                var profile = JsonDocument.Parse(payload).RootElement.TryGetProperty("profile", out var asked) ? asked.GetString() : null;
                var order = new ScriptedOrder(Interlocked.Increment(ref _lastOrder), names) { Profile = profile };
                _orders[order.Id] = order;
                if (count <= LosesAnswersToOrders)
                {
                    context.Abort();
                    break;
                }
                lock (_orders) MostOpenOrders = Math.Max(MostOpenOrders, _orders.Values.Count(o => o.Status != "valid"));
                context.Response.Headers.Location = Url($"order/{order.Id}");
                await JsonAsync(context, 201, Show(order));
                break;
            case "order":
                await JsonAsync(context, 200, Show(_orders[id]));
                break;
            case "authz":
                await JsonAsync(context, 200, ShowAuthorization(_orders[id], int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture)));
                break;
            case "chall":
                _orders[id].Proven = true;
                await JsonAsync(context, 200, new { type = "http-01", url = Url($"chall/{id}"), status = "processing", token = "token" });
                break;
            case "finalize":
                var csr = JsonDocument.Parse(payload).RootElement.GetProperty("csr").GetString()!;
                _orders[id].Chain = IssueFor(csr);
                _orders[id].Status = "valid";
                await JsonAsync(context, 200, Show(_orders[id]));
                break;
            case "cert":
                await WriteAsync(context, 200, "application/pem-certificate-chain", _orders[id].Chain!);
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private string IssueFor(string csr)
    {
        var request = CertificateRequest.LoadSigningRequest(
            System.Buffers.Text.Base64Url.DecodeFromChars(csr), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        return Chain is null ? Authority.IssueChain(request) : Chain(request);
    }

    private object Show(ScriptedOrder order) => new
    {
        status = order.Status ?? (order.Proven ? "ready" : "pending"),
        identifiers = order.Names.Select(n => new { type = "dns", value = n }),
        authorizations = order.Names.Select((_, i) => Url($"authz/{order.Id}/{i}")),
        finalize = Url($"finalize/{order.Id}"),
        profile = order.Profile,
        certificate = order.Status == "valid" ? Url($"cert/{order.Id}") : null,
    };

    private object ShowAuthorization(ScriptedOrder order, int name) => new
    {
        status = order.Proven ? "valid" : "pending",
        identifier = new { type = "dns", value = order.Names[name] },
        challenges = new[]
        {
            new { type = "dns-01", url = Url($"chall/{order.Id}"), status = "pending", token = "token" },
            new { type = "http-01", url = Url($"chall/{order.Id}"), status = order.Proven ? "valid" : "pending", token = "token" },
        },
    };

    private string Url(string path) => new Uri(Origin, Place.Length > 0 ? $"{Place}/{path}" : path).AbsoluteUri;

    private static Task JsonAsync(HttpContext context, int status, object body) =>
        WriteAsync(context, status, "application/json", JsonSerializer.Serialize(body));

    private static async Task<string> PayloadAsync(HttpRequest request)
    {
        using var jws = await JsonDocument.ParseAsync(request.Body);
        return Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(jws.RootElement.GetProperty("payload").GetString()));
    }

    private sealed class ScriptedOrder(int id, IReadOnlyList<string> names)
    {
        public int Id { get; } = id;

        public IReadOnlyList<string> Names { get; } = names;

        public string? Profile { get; init; }

        public bool Proven { get; set; }

        public string? Status { get; set; }

        public string? Chain { get; set; }
    }
}
