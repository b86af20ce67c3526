using System.Collections.Immutable;
using System.Net;
using Docker.DotNet;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Containers.Podman;

/// <summary>Asks Podman (or any engine that speaks Docker's API 1.41) for its networks. Owns the client.</summary>
internal sealed class PodmanNetworks : IContainerNetworks, IDisposable
{
    private const string Bridge = "bridge";
    private static readonly System.Version ApiVersion = new(1, 41);

    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly DockerClient? _client;

    public PodmanNetworks(IOptions<ContainerOptions> options, TimeProvider time)
    {
        (_timeout, _time) = (options.Value.CallTimeout, time);
        if (options.Value.Socket.Length == 0) return;
        _client = new DockerClientBuilder().WithEndpoint(new Uri("unix://" + Path.GetFullPath(options.Value.Socket)))
            .WithApiVersion(ApiVersion).WithTimeout(Timeout.InfiniteTimeSpan).Build();
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<IPNetwork>?> ListAsync(CancellationToken cancellationToken)
    {
        if (_client is null) return null;
        using var limit = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // Other drivers, macvlan first of all, put containers on a network that is there already.
            var networks = await _client.Networks.ListNetworksAsync(null, either.Token);
            return
            [
                .. from network in networks
                   where network.Driver == Bridge
                   from range in network.IPAM?.Config ?? []
                   let subnet = IPNetwork.TryParse(range.Subnet, out var parsed) ? parsed : default(IPNetwork?)
                   where subnet is not null
                   orderby subnet.Value.ToString()
                   select subnet.Value,
            ];
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested
            && (failure is DockerApiException or OperationCanceledException || EngineErrors.IsTransport(failure)))
        {
            // The runtime's own calls say why.
            return null;
        }
    }

    public void Dispose() => _client?.Dispose();
}
