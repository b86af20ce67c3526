using System.Net.Sockets;
using System.Net;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.PassThrough;

/// <summary>A client whose bytes are passed through from socket to socket. It never becomes a connection of Kestrel's.</summary>
/// <param name="Stopping">Fires when it has to end.</param>
internal sealed record PassedConnection(string Id, Socket Socket, IConnectionOriginFeature Origin, ConnectionLease Lease, CancellationToken Stopping);

/// <summary>Runs them to their end, and lets go of socket and lease.</summary>
internal sealed class PassedConnections(Splicer splicer, IngressMetrics metrics, ILogger<PassedConnections> logger)
{
    /// <summary>Returns as soon as there is something to wait for.</summary>
    public void Begin(PassedConnection connection, PublishedListener listener) => _ = RunAsync(connection, client => splicer.ToAppAsync(client, listener));

    /// <inheritdoc cref="Begin(PassedConnection, PublishedListener)"/>
    public void Begin(PassedConnection connection, EndPoint upstream) => _ = RunAsync(connection, client => splicer.RunAsync(client, upstream));

    private async Task RunAsync(PassedConnection connection, Func<SpliceClient, Task> spliceAsync)
    {
        try
        {
            await spliceAsync(new SocketSpliceClient(connection));
        }
        catch (Exception failure)
        {
            metrics.Refused("edge_failure");
            logger.ConnectionFailed(failure, connection.Id);
            connection.Socket.Break();
        }
        finally
        {
            connection.Socket.Dispose();
            connection.Lease.Dispose();
        }
    }
}
