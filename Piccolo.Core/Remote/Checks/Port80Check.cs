using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Dns;

namespace Piccolo.Core.Remote.Checks;

/// <summary>
/// Does what the CA will do (RFC 8555, 8.3): puts a token in place and fetches it from outside, on port 80 of every address that DNS names, as a stranger.
/// Thread-safe.
/// </summary>
public sealed class Port80Check(IOptions<RemoteOptions> options, PublicDnsResolver dns, Http01Challenges challenges, TimeProvider time)
{
    private const int HttpPort = 80;
    private const int MaxAddresses = 4;
    private const int MaxResponseBytes = 4096;

    public async Task<PreflightCheck> RunAsync(DomainName name, CancellationToken cancellationToken)
    {
        var addresses = (await dns.AddressesAsync(name, cancellationToken)).Records;
        if (addresses.IsEmpty)
            return new("port_80", "Port 80", name.Value, PreflightStatus.Fail, $"{name} leads to no address.", "Fix the name's DNS record first.");
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var proof = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        using var presented = challenges.Present(name, token, proof);
        var problems = await Task.WhenAll(addresses.Take(MaxAddresses).Select(a => FetchAsync(name, a, token, proof, cancellationToken)));
        var bad = problems.OfType<string>().ToList();
        if (bad.Count == 0) return new("port_80", "Port 80", name.Value, PreflightStatus.Pass, $"A token of {name} was fetched through the relay on port 80.");
        const string next =
            "The relay must pass port 80 of this name on to this device; check its public ports, its firewall, and that the tunnel serves the name.";
        return new("port_80", "Port 80", name.Value, bad.Count == problems.Length ? PreflightStatus.Fail : PreflightStatus.Warn, string.Join(' ', bad), next);
    }

    /// <returns>Null when our own proof came back; else one sentence.</returns>
    private async Task<string?> FetchAsync(DomainName name, IPAddress address, string token, string proof, CancellationToken cancellationToken)
    {
        var server = new IPEndPoint(address, options.Value.ProbePorts.TryGetValue(HttpPort, out var other) ? other : HttpPort);
        using var clock = new CancellationTokenSource(options.Value.ProbeTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        using var http = new HttpClient(HandlerFor(server)) { MaxResponseContentBufferSize = MaxResponseBytes, Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using var response = await http.GetAsync(new Uri($"http://{name}{Http01Challenges.PathPrefix}{token}"), limit.Token);
            var body = await response.Content.ReadAsStringAsync(limit.Token);
            return response.StatusCode == HttpStatusCode.OK && body == proof
                ? null
                : $"At {server} something else answered for {name} (HTTP status {(int)response.StatusCode}).";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{server} did not answer for {name} within {options.Value.ProbeTimeout.TotalSeconds:0.#} s.";
        }
        catch (HttpRequestException)
        {
            return $"{server} carried no request for {name}.";
        }
    }

    private static SocketsHttpHandler HandlerFor(IPEndPoint server) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        MaxResponseHeadersLength = 8,
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(server, token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };
}
