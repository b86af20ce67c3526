using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Core.Listeners;
using Piccolo.Core.Tunnel;

namespace Piccolo.Api.Ingress.Transports.Tunnel;

/// <summary>Between the tunnel and Kestrel's two endpoints for it. Never makes the tunnel wait: what cannot be taken is refused.</summary>
internal sealed class TunnelStreamQueues
{
    private const int QueueLength = 1024;

    private readonly Channel<ConnectionContext> _plain = Channel.CreateBounded<ConnectionContext>(QueueLength);
    private readonly Channel<ConnectionContext> _tls = Channel.CreateBounded<ConnectionContext>(QueueLength);

    public ChannelReader<ConnectionContext> Accepted(TunnelTraffic traffic) => QueueOf(traffic).Reader;

    /// <summary>
    /// Clear text is served on port 80 only. Elsewhere the relay's word that it saw no TLS is only a hint: our own peek decides, and refuses.
    /// </summary>
    public static TunnelTraffic TrafficOf(ITunnelStream stream) =>
        stream is { Port: ListenerDefinition.HttpPort, IsTls: false } ? TunnelTraffic.Plain : TunnelTraffic.Tls;

    /// <returns>False when the endpoint has stopped or its queue is full; the stream is then the caller's.</returns>
    public bool TryAdd(ITunnelStream stream) => QueueOf(TrafficOf(stream)).Writer.TryWrite(new TunnelConnectionContext(stream));

    /// <summary>The endpoint stops.</summary>
    public Task CompleteAsync(TunnelTraffic traffic)
    {
        QueueOf(traffic).Writer.TryComplete();
        return Task.CompletedTask;
    }

    private Channel<ConnectionContext> QueueOf(TunnelTraffic traffic) => traffic == TunnelTraffic.Tls ? _tls : _plain;
}
