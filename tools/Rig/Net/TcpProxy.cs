using System.Net;
using System.Net.Sockets;

namespace Piccolo.Rig.Net;

/// <summary>
/// A loopback TCP proxy that makes a network of this machine's loopback: delay, rate, and the ways in which connections die. Every switch acts at once, on
/// running connections too.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<ProxiedConnection> _connections = [];
    private readonly Lock _gate = new();
    private readonly IPEndPoint _target;
    private readonly Task _accepting;

    /// <param name="receiveBuffer">What each connection's kernel buffer may hold unread; 0
    /// leaves it to the kernel, which takes megabytes: no line does.</param>
    public TcpProxy(IPEndPoint target, int receiveBuffer = 0)
    {
        _target = target;
        ReceiveBuffer = receiveBuffer;
        // Before it listens: accepted sockets inherit it with their window.
        if (receiveBuffer > 0) _listener.Server.ReceiveBufferSize = receiveBuffer;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    internal int ReceiveBuffer { get; }

    /// <summary>One way; a round trip takes twice as long.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Bytes per second each way, of each connection; 0 is as fast as it goes.</summary>
    public int BytesPerSecond { get; set; }

    /// <summary>New connections are accepted and never hear a byte.</summary>
    public bool Hang { get; set; }

    /// <summary>Nothing passes any more, on connections of before and after, and nobody is told: as behind a router that lost its table.</summary>
    public bool Swallow { get; set; }

    /// <summary>How many connections were opened so far.</summary>
    public int Accepted { get; private set; }

    /// <summary>Ends every connection at once, by a reset.</summary>
    public void Cut()
    {
        foreach (var connection in Snapshot()) connection.Cut();
    }

    /// <summary>Lets through so many bytes more from the target, of each connection, and then cuts it: in the middle of whatever was under way.</summary>
    public void CutAfter(int bytes)
    {
        foreach (var connection in Snapshot()) connection.CutAfter(bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private ProxiedConnection[] Snapshot()
    {
        lock (_gate) return [.. _connections];
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                Accepted++;
                var connection = new ProxiedConnection(this, client);
                lock (_gate) _connections.Add(connection);
                _ = RunAsync(connection);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Stopped, or a client that was gone before it was accepted.
            }
        }
    }

    private async Task RunAsync(ProxiedConnection connection)
    {
        using (connection) await connection.RunAsync(_target, _stop.Token);
        lock (_gate) _connections.Remove(connection);
    }
}
