using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Network;
using Piccolo.Core.Tunnel;

namespace Piccolo.Api.Ingress.Transports.Tunnel;

/// <summary>A stream of the relay as Kestrel sees a connection.</summary>
internal sealed class TunnelConnectionContext : DefaultConnectionContext, IMemoryPoolFeature
{
    private static readonly IPEndPoint Unknown = new(IPAddress.Any, 0);

    private readonly ITunnelStream _stream;

    public TunnelConnectionContext(ITunnelStream stream) : base($"tunnel:{stream.Id}", stream, stream)
    {
        _stream = stream;
        // Without this RequestAborted would never fire: a completed input alone is an end of sending, not of the user.
        ConnectionClosed = stream.Closed;
        RemoteEndPoint = stream.Client ?? Unknown;
        LocalEndPoint = new IPEndPoint(IPAddress.Any, stream.Port);
        Features.Set<IMemoryPoolFeature>(this);
        // Never admitted and never of the LAN, whatever address the relay tells.
        Features.Set<IConnectionOriginFeature>(new ConnectionOriginFeature(ConnectionOrigin.Tunnel, stream.Client, stream.Port, null, IsAllowedNetwork: false));
    }

    public MemoryPool<byte> MemoryPool => MemoryPool<byte>.Shared;

    public override void Abort(ConnectionAbortedException abortReason) => _stream.Abort();

    public override async ValueTask DisposeAsync()
    {
        // A user whose response has no length waits for this end.
        await _stream.Input.CompleteAsync();
        await _stream.Output.CompleteAsync();
        await _stream.DisposeAsync();
        await base.DisposeAsync();
    }
}
