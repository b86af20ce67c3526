using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.PassThrough;

/// <summary>How a splice ended.</summary>
internal enum SpliceEnd
{
    /// <summary>Both sides said all that they had to say.</summary>
    Completed,

    /// <summary>Nobody accepted the connection upstream.</summary>
    ConnectFailed,

    /// <summary>No byte in either direction for too long.</summary>
    Idle,

    /// <summary>One side broke off, or the kernel gave it up.</summary>
    Reset,

    /// <summary>The client took nothing for too long.</summary>
    Stalled,

    /// <summary>The appliance stops.</summary>
    Stopped,
}

/// <param name="BytesToUpstream">What the client sent, the peeked ClientHello included.</param>
internal readonly record struct SpliceResult(SpliceEnd End, long BytesToUpstream, long BytesToClient);

/// <summary>
/// Copies a connection to an upstream socket and back without reading it: both half-closes are passed on, silence is bounded, bytes are counted.
/// </summary>
internal sealed class Splicer(
    IOptions<IngressOptions> options, SocketLoops loops, AppConnectionQuota quota, IngressMetrics metrics, ListenerTraffic traffic,
    TimeProvider time, ILogger<Splicer> logger)
{
    /// <summary>A thread of the pool may be held so long. Who needs longer is waited for without one.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    /// <summary>To the port at which the listener's container is published, with the header that tells the client if the listener asks for it.</summary>
    public async Task<SpliceResult> ToAppAsync(SpliceClient client, PublishedListener listener)
    {
        var counters = traffic.Of(listener.Name);
        counters.Connected();
        var header = listener.Definition.ClientHeader == ClientHeader.ProxyV2 ? client.ProxyHeader : [];
        var result = await RunAsync(client, new IPEndPoint(IPAddress.Loopback, listener.GuardPort), header);
        counters.Received(result.BytesToUpstream);
        counters.Sent(result.BytesToClient);
        return result;
    }

    public Task<SpliceResult> RunAsync(SpliceClient client, EndPoint upstream) => RunAsync(client, upstream, []);

    private async Task<SpliceResult> RunAsync(SpliceClient client, EndPoint upstream, byte[] header)
    {
        var began = time.GetTimestamp();
        var result = await ConnectAndCopyAsync(client, upstream, header);
        var lasted = time.GetElapsedTime(began);
        metrics.Spliced(result.End.ToString(), result.BytesToUpstream, result.BytesToClient, lasted);
        logger.SpliceEnded(client.ConnectionId, upstream, result.End.ToString(), result.BytesToUpstream, result.BytesToClient, lasted);
        // A broken connection must look broken to the client, not like a regular end.
        if (result.End != SpliceEnd.Completed) client.Abort(result.End);
        return result;
    }

    private async Task<SpliceResult> ConnectAndCopyAsync(SpliceClient client, EndPoint upstream, byte[] header)
    {
        if (!quota.TryEnter()) return new SpliceResult(SpliceEnd.ConnectFailed, 0, 0);
        try
        {
            return await CountedAsync(client, upstream, header);
        }
        finally
        {
            quota.Leave();
        }
    }

    private async Task<SpliceResult> CountedAsync(SpliceClient client, EndPoint upstream, byte[] header)
    {
        var stop = client.Stopping;
        using var socket = await ConnectAsync(upstream, header, client.IsSocket, stop);
        if (socket is null) return new SpliceResult(stop.IsCancellationRequested ? SpliceEnd.Stopped : SpliceEnd.ConnectFailed, 0, 0);

        using var copy = client.SpliceTo(socket, options.Value, loops, time);
        using var stopping = stop.UnsafeRegister(static c => ((ISplice)c!).End(SpliceEnd.Stopped), copy);
        using var gone = client is PipeSpliceClient pipe ? pipe.Gone.UnsafeRegister(static c => ((ISplice)c!).End(SpliceEnd.Reset), copy) : default;
        return await copy.RunAsync();
    }

    /// <param name="forLoop">Whether a loop will watch the socket, and nobody else is to.</param>
    private async Task<Socket?> ConnectAsync(EndPoint upstream, byte[] header, bool forLoop, CancellationToken stop)
    {
        Socket? socket = null;
        try
        {
            if (forLoop && upstream is IPEndPoint { AddressFamily: AddressFamily.InterNetwork } app && app.Address.Equals(IPAddress.Loopback))
                socket = TryConnect(app.Port, LocalConnect.AtOnce)
                    ?? await Task.Run(() => TryConnect(app.Port, static (socket, port) => LocalConnect.Wait(socket, port, Soon)));
            if (socket is null)
            {
                socket = NewSocket(upstream);
                await socket.ConnectAsync(upstream, CancellationToken.None).AsTask().WaitAsync(options.Value.ConnectTimeout, time, stop);
            }
            // A few dozen bytes into an empty buffer: the kernel takes them whole.
            if (header.Length > 0) socket.Send(header);
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException or TimeoutException)
        {
            socket?.Dispose();
            return null;
        }
    }

    /// <returns>Null when the app is too busy to take the connection now.</returns>
    private static Socket? TryConnect(int port, Func<Socket, int, bool> connect)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (connect(socket, port)) return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
        socket.Dispose();
        return null;
    }

    private static Socket NewSocket(EndPoint upstream)
    {
        var socket = upstream is IPEndPoint
            ? new Socket(upstream.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        return socket;
    }
}
