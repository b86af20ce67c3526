using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Piccolo.Api.Ingress;

/// <summary>The client's side of a splice. What the client sends always comes through the connection's pipe; how it gets its bytes differs.</summary>
internal abstract class SpliceClient(ConnectionContext connection)
{
    public ConnectionContext Connection { get; } = connection;

    /// <summary>The client's socket when nothing was read from it yet; the splice then needs no pipe.</summary>
    public virtual Socket? Untouched => null;

    public PipeReader Input => Connection.Transport.Input;

    /// <summary>Whether what was read as the client's end was a break.</summary>
    public bool IsBroken => Connection.Features.Get<LazySocketConnection>() is { IsBroken: true };

    /// <summary>Whether the client can go on sending after <see cref="EndAsync"/>.</summary>
    public abstract bool CanHalfClose { get; }

    /// <summary>Room for the next bytes to the client. Asked only when there are some: an idle connection holds no buffer.</summary>
    public abstract Memory<byte> GetBuffer();

    /// <summary>Sends the first <paramref name="count"/> bytes of the buffer.</summary>
    /// <returns>False when the client takes no more.</returns>
    public abstract ValueTask<bool> SendAsync(int count, CancellationToken cancellationToken);

    /// <summary>Tells the client that nothing more will come.</summary>
    public abstract ValueTask EndAsync(CancellationToken cancellationToken);

    /// <summary>For a connection of which no byte was answered yet.</summary>
    public static SpliceClient OfTransport(ConnectionContext connection) =>
        connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket
            ? new SocketSpliceClient(connection, socket)
            : new PipeSpliceClient(connection, null);

    /// <summary>For a connection whose TLS ended here.</summary>
    public static SpliceClient OfTls(ConnectionContext connection) =>
        new PipeSpliceClient(connection, connection.Features.GetRequiredFeature<ISslStreamFeature>().SslStream);
}

/// <summary>
/// Answers on the socket itself. Kestrel's pipe for that direction stays unused: completing it would close both directions, and a server that ends first
/// could then receive nothing more.
/// </summary>
internal sealed class SocketSpliceClient(ConnectionContext connection, Socket socket) : SpliceClient(connection)
{
    private const int BufferSize = 16 * 1024;

    private byte[]? _buffer;

    public override Socket? Untouched => Connection is LazySocketConnection { IsUntouched: true } ? socket : null;

    public override bool CanHalfClose => true;

    public override Memory<byte> GetBuffer() => _buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferSize);

    public override async ValueTask<bool> SendAsync(int count, CancellationToken cancellationToken)
    {
        var buffer = _buffer!;
        for (var sent = 0; sent < count;) sent += await socket.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None, cancellationToken);
        // Not returned after a failed send: the kernel's view of a cancelled operation is not worth a shared buffer.
        _buffer = null;
        System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        return true;
    }

    public override ValueTask EndAsync(CancellationToken cancellationToken)
    {
        socket.Shutdown(SocketShutdown.Send);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Answers through the pipe: of a tunnel stream, or of a TLS session that ended here.</summary>
internal sealed class PipeSpliceClient(ConnectionContext connection, SslStream? tls) : SpliceClient(connection)
{
    /// <summary>
    /// To TLS: one record. To a tunnel stream: an app that writes 64 KiB at a time sends a little more, for its own TLS; a buffer of just as much would make two bursts
    /// of each.
    /// </summary>
    private readonly int _bufferSize = tls is null ? 128 * 1024 : 16 * 1024;

    private PipeWriter Output => Connection.Transport.Output;

    // close_notify ends one direction of TLS 1.3 (RFC 8446, 6.1). The relay's protocol has no half-close.
    public override bool CanHalfClose => tls is not null && Connection.Features.Get<IConnectionSocketFeature>() is not null;

    public override Memory<byte> GetBuffer() => Output.GetMemory(_bufferSize);

    public override async ValueTask<bool> SendAsync(int count, CancellationToken cancellationToken)
    {
        Output.Advance(count);
        return !(await Output.FlushAsync(cancellationToken)).IsCompleted;
    }

    public override async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (tls is not null) await tls.ShutdownAsync().WaitAsync(cancellationToken);
        else await Output.CompleteAsync();
    }
}
