using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Fakes.Registries;

/// <summary>
/// An image registry on loopback, without TLS: it serves the images that it was given, and refuses as registries do. By the first part of an image's path:
/// <c>limited</c> has served enough (429), <c>private</c> wants a sign-in (401), <c>silent</c> takes the request and says nothing, <c>foreign</c> has images
/// for another processor only, <c>slow</c> pauses before each part of a layer. What it was not given is not there (404).
/// </summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    private readonly ConcurrentDictionary<string, byte[]> _manifests = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte[]> _configs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _layers = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ending = new();
    private readonly WebApplication _app;

    private FakeRegistry(WebApplication app) => _app = app;

    /// <summary>Host and port, as images' names have them.</summary>
    public string Host => new Uri(_app.Urls.Single()).Authority;

    /// <summary>How long <c>slow</c> waits before each part of a layer.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>What <c>limited</c> says beside its status.</summary>
    public string LimitMessage { get; set; } = "You have reached your pull rate limit.";

    /// <summary>Raised with each request.</summary>
    public ChangeSignal Asked { get; } = new();

    /// <summary>Each as "GET /v2/…".</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public static async Task<FakeRegistry> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var registry = new FakeRegistry(builder.Build());
        registry._app.Run(registry.AnswerAsync);
        await registry._app.StartAsync();
        return registry;
    }

    /// <summary>Serves a root file system as an image of one layer.</summary>
    /// <param name="repository">Such as <c>team/app</c>.</param>
    /// <param name="tar">A file; it must not change.</param>
    /// <returns>The digest of the image's manifest.</returns>
    public async Task<string> AddAsync(string repository, string tag, string tar, object config)
    {
        string layer;
        await using (var content = File.OpenRead(tar)) layer = "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(content));
        _layers[layer] = tar;
        var image = JsonSerializer.SerializeToUtf8Bytes(
            new { architecture = "amd64", os = "linux", config, rootfs = new { type = "layers", diff_ids = new[] { layer } } });
        _configs[DigestOf(image)] = image;
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ManifestType,
            config = new { mediaType = "application/vnd.oci.image.config.v1+json", digest = DigestOf(image), size = image.Length },
            layers = new[] { new { mediaType = "application/vnd.oci.image.layer.v1.tar", digest = layer, size = new FileInfo(tar).Length } },
        });
        _manifests[$"{repository}:{tag}"] = _manifests[$"{repository}:{DigestOf(manifest)}"] = manifest;
        return DigestOf(manifest);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _app.DisposeAsync();
        _ending.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        Requests.Enqueue($"{http.Request.Method} {path}");
        Asked.Raise();
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 4 || parts[0] != "v2") return;
        await (parts[1] switch
        {
            "limited" => LimitAsync(http),
            "private" => RefuseAsync(http, 401, "UNAUTHORIZED", "authentication required"),
            "silent" => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Either(http)),
            "foreign" when parts[^2] == "manifests" => SendAsync(http, IndexType, Foreign()),
            _ => ServeAsync(http, string.Join('/', parts[1..^2]), parts[^2], parts[^1]),
        });
    }

    /// <summary>Ends with the client or with the registry: one that is silent must not hold up the end of a test.</summary>
    private CancellationToken Either(HttpContext http)
    {
        var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _ending.Token);
        http.Response.RegisterForDispose(either);
        return either.Token;
    }

    private async Task ServeAsync(HttpContext http, string repository, string kind, string reference)
    {
        if (kind == "manifests" && _manifests.TryGetValue($"{repository}:{reference}", out var manifest)) await SendAsync(http, ManifestType, manifest);
        else if (kind == "blobs" && _configs.TryGetValue(reference, out var config)) await SendAsync(http, "application/octet-stream", config);
        else if (kind == "blobs" && _layers.TryGetValue(reference, out var tar))
            await SendLayerAsync(http, tar, repository.StartsWith("slow/", StringComparison.Ordinal) ? Pause : TimeSpan.Zero);
        else await RefuseAsync(http, 404, kind == "manifests" ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN", "unknown");
    }

    private async Task SendLayerAsync(HttpContext http, string tar, TimeSpan pause)
    {
        const int parts = 4;
        var (ending, length) = (Either(http), new FileInfo(tar).Length);
        http.Response.ContentLength = length;
        for (var part = 0; part < parts; part++)
        {
            if (pause > TimeSpan.Zero) await Task.Delay(pause, TimeProvider.System, ending);
            var (from, to) = (length * part / parts, length * (part + 1) / parts);
            await http.Response.SendFileAsync(tar, from, to - from, ending);
            await http.Response.Body.FlushAsync(ending);
        }
    }

    private static async Task SendAsync(HttpContext http, string type, byte[] content)
    {
        (http.Response.ContentType, http.Response.ContentLength) = (type, content.Length);
        http.Response.Headers["Docker-Content-Digest"] = DigestOf(content);
        if (!HttpMethods.IsHead(http.Request.Method)) await http.Response.Body.WriteAsync(content);
    }

    private Task LimitAsync(HttpContext http)
    {
        // The engine waits for so long by itself, a few times.
        http.Response.Headers.RetryAfter = "1";
        return RefuseAsync(http, 429, "TOOMANYREQUESTS", LimitMessage);
    }

    private static async Task RefuseAsync(HttpContext http, int status, string code, string message)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new { errors = new[] { new { code, message } } }));
    }

    /// <summary>An index whose only image is for a processor that no test runs on.</summary>
    private static byte[] Foreign() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        schemaVersion = 2,
        mediaType = IndexType,
        manifests = new[]
        {
            new { mediaType = ManifestType, digest = DigestOf("none"u8.ToArray()), size = 4, platform = new { architecture = "s390x", os = "linux" } },
        },
    });

    private static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
}
