using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.ProxyProtocol;

namespace Piccolo.Api.Ingress.PassThrough;

/// <summary>The client's side of a splice.</summary>
/// <param name="stopping">Fires when the connection has to end.</param>
internal abstract class SpliceClient(string connectionId, IConnectionOriginFeature origin, CancellationToken stopping)
{
    public string ConnectionId => connectionId;

    public CancellationToken Stopping => stopping;

    /// <summary>The header that tells an app who its client is.</summary>
    public byte[] ProxyHeader =>
        ProxyHeaderWriter.Write(origin.ClientEndPoint, LocalEndPoint is IPEndPoint own ? new IPEndPoint(own.Address, origin.PublicPort) : null);

    protected abstract EndPoint? LocalEndPoint { get; }

    /// <summary>Whether the upstream socket must be watched by nobody else than a loop.</summary>
    public virtual bool IsSocket => false;

    /// <summary>The splice itself, not begun.</summary>
    public abstract ISplice SpliceTo(Socket upstream, IngressOptions options, SocketLoops loops, TimeProvider time);

    /// <summary>Ends the connection so that the client sees a break.</summary>
    public abstract void Abort(SpliceEnd reason);

    /// <summary>For a stream of the relay, of which no byte was answered yet.</summary>
    public static SpliceClient OfTunnel(ConnectionContext connection) => new PipeSpliceClient(connection, null);

    /// <summary>For a connection whose TLS ended here.</summary>
    public static SpliceClient OfTls(ConnectionContext connection) =>
        new PipeSpliceClient(connection, connection.Features.GetRequiredFeature<ISslStreamFeature>().SslStream);
}

/// <summary>A socket of which nothing was answered yet.</summary>
internal sealed class SocketSpliceClient(PassedConnection connection) : SpliceClient(connection.Id, connection.Origin, connection.Stopping)
{
    public override bool IsSocket => true;

    protected override EndPoint? LocalEndPoint => connection.Socket.LocalEndPoint;

    public override ISplice SpliceTo(Socket upstream, IngressOptions options, SocketLoops loops, TimeProvider time) =>
        new SocketSplice(connection.Socket, upstream, options.SpliceIdleTimeout, loops.Here(), time);

    public override void Abort(SpliceEnd reason) => connection.Socket.Break();
}

/// <summary>Pipes: of a tunnel stream, or of a TLS session that ended here.</summary>
internal sealed class PipeSpliceClient(ConnectionContext connection, SslStream? tls) : SpliceClient(
    connection.ConnectionId, connection.Features.GetRequiredFeature<IConnectionOriginFeature>(),
    connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default)
{
    /// <summary>
    /// To TLS: one record. To a tunnel stream: an app that writes 64 KiB at a time sends a little more, for its own TLS; a buffer of just as much would
    /// make two bursts
    /// of each.
    /// </summary>
    private readonly int _bufferSize = tls is null ? 128 * 1024 : 16 * 1024;

    private readonly bool _isTunnel = connection.Features.Get<IConnectionSocketFeature>() is null;

    public PipeReader Input => connection.Transport.Input;

    /// <summary>Whether what was read as the client's end was a break.</summary>
    public bool IsBroken => connection.Features.Get<ILoopSocketFeature>() is { IsBroken: true };

    /// <summary>Fires when the client is gone. A socket's own token fires at the client's FIN too, which is a half-close and no end.</summary>
    public CancellationToken Gone => _isTunnel ? connection.ConnectionClosed : default;

    /// <summary>
    /// Whether the client can go on sending after <see cref="EndAsync"/>: close_notify ends one direction of TLS 1.3 (RFC 8446, 6.1). The relay's protocol
    /// has no
    /// half-close.
    /// </summary>
    public bool CanHalfClose => tls is not null && !_isTunnel;

    protected override EndPoint? LocalEndPoint => connection.LocalEndPoint;

    private PipeWriter Output => connection.Transport.Output;

    public override ISplice SpliceTo(Socket upstream, IngressOptions options, SocketLoops loops, TimeProvider time) =>
        new SpliceCopy(this, upstream, options, time);

    public override void Abort(SpliceEnd reason) => connection.Abort(new ConnectionAbortedException($"Splice ended: {reason}."));

    /// <summary>Room for the next bytes to the client. Asked only when there are some: an idle connection holds no buffer.</summary>
    public Memory<byte> GetBuffer() => Output.GetMemory(_bufferSize);

    /// <summary>Sends the first <paramref name="count"/> bytes of the buffer.</summary>
    /// <returns>False when the client takes no more.</returns>
    public async ValueTask<bool> SendAsync(int count, CancellationToken cancellationToken)
    {
        Output.Advance(count);
        return !(await Output.FlushAsync(cancellationToken)).IsCompleted;
    }

    /// <summary>Tells the client that nothing more will come.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (tls is not null) await tls.ShutdownAsync().WaitAsync(cancellationToken);
        else await Output.CompleteAsync();
    }
}
