using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Docker.DotNet;

namespace Piccolo.Core.Containers.Podman;

/// <summary>
/// What Docker's API has no word for, by Podman's own on the same socket, and streams as they are. Refusals are thrown as <see cref="DockerApiException"/>.
/// </summary>
internal sealed class LibpodClient : IDisposable
{
    private readonly HttpClient _http;

    public LibpodClient(string socketPath) => _http = new HttpClient(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    })
    {
        BaseAddress = new Uri("http://podman/v4.0.0/libpod/"),
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>
    /// A bridge whose containers reach the world, and into which nobody opens a connection (<c>packaging/nftables</c>). Without the engine's own DNS server,
    /// which would want port 53 of the bridge's address from whoever serves DNS on this box (ADR 0026).
    /// </summary>
    /// <returns>Null when it was made; else the engine's words, and whether there is one of that name already.</returns>
    public async Task<(bool Exists, string Text)?> CreateNetworkAsync(
        string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var network = new Network(name, "bridge", InterfaceOf(name), false, new Dictionary<string, string> { ["isolate"] = "true" }, labels);
        using var answer = await _http.PostAsJsonAsync("networks/create", network, cancellationToken);
        return answer.IsSuccessStatusCode ? null : (answer.StatusCode == HttpStatusCode.Conflict, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>What an image declares: Docker's API of this engine leaves out the health check.</summary>
    public async Task<Image> InspectImageAsync(string name, CancellationToken cancellationToken)
    {
        using var answer = await CheckedAsync(await _http.GetAsync(Relative($"images/{Escaped(name)}/json"), cancellationToken), cancellationToken);
        return await answer.Content.ReadFromJsonAsync<Image>(cancellationToken) ?? throw new JsonException("The engine described no image.");
    }

    /// <summary>Makes a container that is never started, so that files of the image can be read: without a network, and without the image's volumes, which
    /// would lie over the image's own folders.</summary>
    public async Task CreateReaderAsync(string name, string image, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        // An image without any command is no reason to refuse.
        var reader = new Reader(name, image, ["none"], labels, "ignore", new Namespace("none"));
        using var answer = await CheckedAsync(await _http.PostAsJsonAsync("containers/create", reader, cancellationToken), cancellationToken);
    }

    /// <returns>Where the folder is, symbolic links followed; null where there is no folder of that path.</returns>
    public async Task<string?> FindFolderAsync(string container, string path, CancellationToken cancellationToken)
    {
        using var ask = new HttpRequestMessage(HttpMethod.Head, Relative($"containers/{container}/archive?path={Uri.EscapeDataString(path)}"));
        using var answer = await _http.SendAsync(ask, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        using var found = await CheckedAsync(answer, cancellationToken);
        return StatOf(found) is { } stat && (stat.Mode & PathStat.Folder) != 0 ? stat.LinkTarget is { Length: > 0 } target ? target : path : null;
    }

    /// <returns>A tar of the container's file system, with the owners as they are: the engine's tar of a single folder gives all to the container's user.
    /// The caller disposes it.</returns>
    public async Task<HttpResponseMessage> ExportAsync(string container, CancellationToken cancellationToken) => await CheckedAsync(
        await _http.GetAsync(Relative($"containers/{container}/export"), HttpCompletionOption.ResponseHeadersRead, cancellationToken), cancellationToken);

    /// <returns>What the container printed, as <see cref="LogFrames"/> reads it. The caller disposes it.</returns>
    public async Task<HttpResponseMessage> ReadLogAsync(string container, int tail, DateTimeOffset? since, bool follow, CancellationToken cancellationToken)
    {
        var from = since is { } moment
            ? string.Create(CultureInfo.InvariantCulture, $"&since={moment.ToUnixTimeSeconds()}.{moment.UtcTicks % TimeSpan.TicksPerSecond:0000000}") : "";
        var address = string.Create(CultureInfo.InvariantCulture,
            $"containers/{container}/logs?stdout=true&stderr=true&timestamps=true&tail={tail}&follow={(follow ? "true" : "false")}{from}");
        return await CheckedAsync(await _http.GetAsync(Relative(address), HttpCompletionOption.ResponseHeadersRead, cancellationToken), cancellationToken);
    }

    /// <summary>What running containers take, as seen once.</summary>
    public async Task<ImmutableArray<Stats>> StatsAsync(IEnumerable<string> containers, CancellationToken cancellationToken)
    {
        var address = "containers/stats?stream=false" + string.Concat(containers.Select(c => $"&containers={c}"));
        using var answer = await CheckedAsync(await _http.GetAsync(Relative(address), cancellationToken), cancellationToken);
        var report = await answer.Content.ReadFromJsonAsync<StatsReport>(cancellationToken) ?? throw new JsonException("The engine described no usage.");
        return report.Error is null ? report.Stats ?? [] : throw new JsonException("The engine could not tell the usage.");
    }

    public void Dispose() => _http.Dispose();

    /// <summary>
    /// Chosen here, because two engines on one machine would choose the same, and because the firewall knows it by its first letters. At most 15 characters.
    /// </summary>
    private static string InterfaceOf(string name)
    {
        var number = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(name))) % 100_000_000;
        return string.Create(CultureInfo.InvariantCulture, $"picapp{number:00000000}");
    }

    private static async Task<HttpResponseMessage> CheckedAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw new DockerApiException(answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>The engine tells what the path is in a header.</summary>
    private static PathStat? StatOf(HttpResponseMessage answer) => answer.Headers.TryGetValues("X-Docker-Container-Path-Stat", out var values)
        ? JsonSerializer.Deserialize<PathStat>(Convert.FromBase64String(values.First()), JsonSerializerOptions.Web) : null;

    private static Uri Relative(string address) => new(address, UriKind.Relative);

    private static string Escaped(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    /// <param name="Healthcheck">In the form of a Dockerfile's: CMD and words, CMD-SHELL and one line, or NONE.</param>
    internal sealed record Image(string Id, string? Digest, ImageConfig? Config, ImageHealth? Healthcheck);

    internal sealed record ImageConfig(Dictionary<string, object?>? Volumes);

    internal sealed record ImageHealth(ImmutableArray<string>? Test);

    /// <param name="CPUNano">Since the container's start.</param>
    internal sealed record Stats(string ContainerID, ulong CPUNano, ulong MemUsage);

    /// <param name="Error">An object of the engine's language, of which nothing comes through but that it is there.</param>
    private sealed record StatsReport(JsonElement? Error, ImmutableArray<Stats>? Stats);

    private sealed record PathStat(uint Mode, string? LinkTarget)
    {
        /// <summary>In Go's file mode.</summary>
        public const uint Folder = 1u << 31;
    }

    private sealed record Namespace(string Nsmode);

    private sealed record Reader(
        string Name, string Image, string[] Command, IReadOnlyDictionary<string, string> Labels,
        [property: JsonPropertyName("image_volume_mode")] string ImageVolumes, Namespace Netns);

    private sealed record Network(
        string Name, string Driver, [property: JsonPropertyName("network_interface")] string Interface, [property: JsonPropertyName("dns_enabled")] bool HasDns,
        IReadOnlyDictionary<string, string> Options, IReadOnlyDictionary<string, string> Labels);
}
