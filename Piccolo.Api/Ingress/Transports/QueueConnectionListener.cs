using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress.Transports;

/// <summary>An endpoint of Kestrel's whose connections come out of a queue.</summary>
/// <param name="unbind">Stops whatever fills the queue.</param>
internal sealed class QueueConnectionListener(EndPoint endPoint, ChannelReader<ConnectionContext> accepted, Func<Task> unbind) : IConnectionListener
{
    public EndPoint EndPoint => endPoint;

    /// <returns>Null once no more will come, which ends Kestrel's accept loop.</returns>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await accepted.WaitToReadAsync(cancellationToken))
            if (accepted.TryRead(out var connection)) return connection;
        return null;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await unbind();

    public async ValueTask DisposeAsync()
    {
        await unbind();
        while (accepted.TryRead(out var connection)) await connection.DisposeAsync();
    }
}
