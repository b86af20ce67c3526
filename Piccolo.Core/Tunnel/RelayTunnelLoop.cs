using Microsoft.Extensions.Hosting;

namespace Piccolo.Core.Tunnel;

/// <summary>Runs the tunnel as long as the host runs.</summary>
internal sealed class RelayTunnelLoop(RelayTunnel tunnel) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => tunnel.RunAsync(stoppingToken);
}
