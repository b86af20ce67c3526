using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace Piccolo.Core.Containers;

/// <summary>What Docker's API has no word for, by Podman's own on the same socket.</summary>
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
    /// which would want port 53 of the bridge's address from whoever serves DNS on this box.
    /// </summary>
    /// <returns>Null when it was made; else the engine's words, and whether there is one of that name already.</returns>
    public async Task<(bool Exists, string Text)?> CreateNetworkAsync(
        string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var network = new Network(name, "bridge", InterfaceOf(name), false, new Dictionary<string, string> { ["isolate"] = "true" }, labels);
        using var answer = await _http.PostAsJsonAsync("networks/create", network, cancellationToken);
        return answer.IsSuccessStatusCode ? null : (answer.StatusCode == HttpStatusCode.Conflict, await answer.Content.ReadAsStringAsync(cancellationToken));
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

    private sealed record Network(
        string Name, string Driver, [property: JsonPropertyName("network_interface")] string Interface, [property: JsonPropertyName("dns_enabled")] bool HasDns,
        IReadOnlyDictionary<string, string> Options, IReadOnlyDictionary<string, string> Labels);
}
