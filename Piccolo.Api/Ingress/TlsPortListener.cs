using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress;

/// <summary>The clients of one address, as connections that Kestrel gets ahead of them (ADR 0018). All loops accept.</summary>
internal sealed class TlsPortListener : IConnectionListener
{
    private readonly Socket? _socket;
    private readonly PostedConnections _posted;
    private readonly LoopAcceptor[] _acceptors;

    /// <param name="socket">Null for an optional address that is missing: nobody comes.</param>
    public TlsPortListener(EndPoint endPoint, Socket? socket, SocketLoops loops, SocketConnections connections, HelloAdmission admission, TimeProvider time, ILogger logger)
    {
        (EndPoint, _socket, _posted) = (endPoint, socket, new PostedConnections(endPoint, connections));
        if (socket is null)
        {
            _acceptors = [];
            _posted.Close();
            return;
        }
        socket.Blocking = false;
        _acceptors = [.. loops.All.Select(loop => new LoopAcceptor(endPoint, socket, loop, _posted, admission, time, logger))];
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => await _posted.PostAsync();

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        foreach (var acceptor in _acceptors) acceptor.Dispose();
        _socket?.Dispose();
        _posted.Close();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
