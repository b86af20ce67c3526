using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>How a splice ended.</summary>
internal enum SpliceEnd
{
    /// <summary>Both sides said all that they had to say.</summary>
    Completed,

    /// <summary>Nobody accepted the connection upstream.</summary>
    ConnectFailed,

    /// <summary>No byte in either direction for too long.</summary>
    Idle,

    /// <summary>One side broke off.</summary>
    Reset,

    /// <summary>The appliance stops.</summary>
    Stopped,
}

/// <param name="BytesToUpstream">What the client sent, the peeked ClientHello included.</param>
internal readonly record struct SpliceResult(SpliceEnd End, long BytesToUpstream, long BytesToClient);

/// <summary>Copies a connection to an upstream socket and back without reading it: both half-closes are passed on, silence is bounded, bytes are counted.</summary>
internal sealed class Splicer(IOptions<IngressOptions> options, IngressMetrics metrics, TimeProvider time, ILogger<Splicer> logger)
{
    /// <summary>To the port at which a container is published.</summary>
    public Task<SpliceResult> ToGuardPortAsync(SpliceClient client, int port) => RunAsync(client, new IPEndPoint(IPAddress.Loopback, port));

    public async Task<SpliceResult> RunAsync(SpliceClient client, EndPoint upstream)
    {
        var result = await ConnectAndCopyAsync(client, upstream);
        metrics.Spliced(result);
        logger.SpliceEnded(client.Connection.ConnectionId, upstream, result.End, result.BytesToUpstream, result.BytesToClient);
        // A broken connection must look broken to the client, not like a regular end.
        if (result.End != SpliceEnd.Completed) client.Connection.Abort(new ConnectionAbortedException($"Splice ended: {result.End}."));
        return result;
    }

    private async Task<SpliceResult> ConnectAndCopyAsync(SpliceClient client, EndPoint upstream)
    {
        var stop = client.Connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var socket = await ConnectAsync(upstream, stop);
        if (socket is null) return new SpliceResult(stop.IsCancellationRequested ? SpliceEnd.Stopped : SpliceEnd.ConnectFailed, 0, 0);

        using var copy = new SpliceCopy(client, socket, options.Value.SpliceIdleTimeout, time);
        using var stopping = stop.Register(static c => ((SpliceCopy)c!).End(SpliceEnd.Stopped), copy);
        // On sockets this token fires at the client's FIN, which is a half-close and no end; a tunnel stream is gone when it fires.
        using var gone = client.Connection.Features.Get<IConnectionSocketFeature>() is null
            ? client.Connection.ConnectionClosed.Register(static c => ((SpliceCopy)c!).End(SpliceEnd.Reset), copy)
            : default;
        return await copy.RunAsync();
    }

    private async Task<Socket?> ConnectAsync(EndPoint upstream, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(options.Value.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(upstream, either.Token);
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }
}
