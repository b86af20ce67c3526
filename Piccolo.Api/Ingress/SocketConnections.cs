using System.Net;
using System.Net.Sockets;

namespace Piccolo.Api.Ingress;

/// <summary>Makes connections for sockets that we accept ourselves. Thread-safe.</summary>
internal sealed class SocketConnections(SocketLoops loops, BlockPool blocks)
{
    /// <summary>For a client that is there, on the next of the loops.</summary>
    /// <exception cref="SocketException">It has gone again.</exception>
    public LazySocketConnection Create(Socket socket)
    {
        var connection = Await(null);
        connection.Arrive(socket, socket.RemoteEndPoint ?? throw new SocketException((int)SocketError.NotConnected), loops.Next());
        return connection;
    }

    /// <summary>For a client that is to come.</summary>
    public LazySocketConnection Await(EndPoint? local) => new(local, blocks);
}
