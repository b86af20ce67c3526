using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Piccolo.Bench.Ingress;

/// <summary>Clients that send a ClientHello and no more, so that nearly all of the cost is on the other side.</summary>
internal static class RawClients
{
    private const int Workers = 32;
    private const int Answer = 16 * 1024;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    /// <summary>One connection after the other: hello, the app's first bytes, an end from both sides.</summary>
    /// <param name="served">Counts them while they come.</param>
    /// <exception cref="TimeoutException">Some never got their answer.</exception>
    public static async Task<LoadResult> ConnectAsync(int port, byte[] hello, int seconds, Served? served = null)
    {
        served ??= new Served();
        using var ended = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), TimeProvider.System);
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() => ConnectUntilAsync(port, hello, served, ended.Token))))
            .WaitAsync(TimeSpan.FromSeconds(seconds) + Grace, TimeProvider.System);
        return new LoadResult(served.Count, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>Opens connections that then say nothing more.</summary>
    public static async Task<List<Socket>> OpenAsync(int port, byte[] hello, int count)
    {
        var sockets = new List<Socket>();
        while (sockets.Count < count)
        {
            var opened = await Task.WhenAll(Enumerable.Range(0, Math.Min(Workers, count - sockets.Count)).Select(async _ =>
            {
                var socket = await DialAsync(port);
                await socket.SendAsync(hello);
                if (await socket.ReceiveAsync(new byte[Answer]) == 0) throw new InvalidOperationException($"Port {port} closed a connection that was to stay.");
                return socket;
            }));
            sockets.AddRange(opened);
        }
        return sockets;
    }

    private static async Task<Socket> DialAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task ConnectUntilAsync(int port, byte[] hello, Served served, CancellationToken ended)
    {
        var buffer = new byte[Answer];
        while (!ended.IsCancellationRequested)
        {
            using var socket = await DialAsync(port);
            await socket.SendAsync(hello);
            if (await socket.ReceiveAsync(buffer) == 0) throw new InvalidOperationException($"Port {port} gave no answer to a ClientHello.");
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(buffer) > 0)
            {
                // The rest of the server's flight.
            }
            served.One();
        }
    }
}
