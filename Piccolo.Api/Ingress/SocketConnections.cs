using System.Buffers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress;

/// <summary>Makes connections out of sockets that we accepted ourselves, each on one of the loops, with the server's own memory. Thread-safe.</summary>
internal sealed class SocketConnections(SocketLoops loops, IMemoryPoolFactory<byte> memory) : IDisposable
{
    private readonly MemoryPool<byte> _memory = memory.Create();

    public LazySocketConnection Create(Socket socket) => new(socket, loops.Next(), _memory);

    public void Dispose() => _memory.Dispose();
}
