using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>The numbers of our two ports as they are bound; null where a port is switched off.</summary>
internal sealed record BoundPorts(int? Http, int? Https);

/// <summary>Knows which of our own ports are bound, also when the configuration left the choice to the system.</summary>
internal sealed class OwnPorts(IServer server, IOptions<IngressOptions> options, IHostApplicationLifetime lifetime)
{
    private BoundPorts? _current;

    /// <summary>Null until the server has started.</summary>
    public BoundPorts? Current => lifetime.ApplicationStarted.IsCancellationRequested ? _current ??= Read() : null;

    private BoundPorts Read()
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses.Select(BindingAddress.Parse).Where(a => a.Port > 0 && IsAddress(a.Host))
            .ToList() ?? [];
        return new BoundPorts(
            options.Value.HttpPort == 0 ? null : addresses.Find(a => a.Scheme == "http")?.Port,
            options.Value.HttpsPort == 0 ? null : addresses.Find(a => a.Scheme == "https")?.Port);
    }

    /// <summary>The endpoints of apps and of the tunnel have names in its place.</summary>
    private static bool IsAddress(string host) => host == "localhost" || System.Net.IPAddress.TryParse(host.Trim('[', ']'), out _);
}
