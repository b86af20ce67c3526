using System.Net;
using System.Net.Sockets;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// Clients that send one byte a second of a ClientHello, from many addresses. None stays longer than a door lets it: it goes a moment before it would be cut
/// off, and comes back. Their first visits are of all lengths, so that from the beginning as many come and go in a second as later on.
/// </summary>
internal sealed class SlowHellos : IAsyncDisposable
{
    /// <summary>In bytes, which are seconds: one less than the front door's limit for a whole hello.</summary>
    public const int LongestVisit = 19;

    private const int Batches = 20;
    private static readonly TimeSpan BatchEvery = TimeSpan.FromSeconds(1.0 / Batches);

    private readonly CancellationTokenSource _ended = new();
    private readonly (Socket? Socket, int Sent, int Stay)[] _clients;
    private readonly byte[] _hello;
    private readonly int _port;
    private readonly TaskCompletionSource _allConnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;

    private SlowHellos(int port, byte[] hello, int count) => (_port, _hello, _clients) = (port, hello, new (Socket?, int, int)[count]);

    /// <summary>How many bytes were sent.</summary>
    public long Sent { get; private set; }

    /// <summary>How often a client went and came back.</summary>
    public int Returned { get; private set; }

    /// <summary>How often one was cut off before its time.</summary>
    public int CutOff { get; private set; }

    /// <summary>Returns when all are connected and sending.</summary>
    public static async Task<SlowHellos> StartAsync(int port, byte[] hello, int count)
    {
        var slow = new SlowHellos(port, hello, count);
        slow._running = Task.Run(slow.RunAsync);
        await await Task.WhenAny(slow._allConnected.Task, slow._running);
        return slow;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _running;
        foreach (var (socket, _, _) in _clients) socket?.Dispose();
        _ended.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(BatchEvery, TimeProvider.System);
        for (var batch = 0; !_ended.IsCancellationRequested; batch++)
        {
            if (batch == Batches) _allConnected.TrySetResult();
            for (var i = batch % Batches; i < _clients.Length; i += Batches) Step(i);
            await timer.WaitForNextTickAsync();
        }
    }

    private void Step(int index)
    {
        var (socket, sent, stay) = _clients[index];
        if (socket is not null)
        {
            if (sent < stay && TrySend(socket, sent))
            {
                _clients[index].Sent++;
                return;
            }
            if (sent < stay) CutOff++;
            Returned++;
            socket.Dispose();
        }
        _clients[index] = default;
        try
        {
            var fresh = Dial(new IPAddress([127, 0, (byte)(1 + index / 250 % 250), (byte)(1 + index % 250)]));
            TrySend(fresh, 0);
            // All lengths of a first visit are in each batch.
            _clients[index] = (fresh, 1, socket is null ? 1 + index / Batches % LongestVisit : LongestVisit);
        }
        catch (SocketException)
        {
            // The next turn tries again.
        }
    }

    /// <summary>What these clients cost is taken from the users beside them: a socket of which the runtime knows nothing costs the least.</summary>
    private Socket Dial(IPAddress from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            socket.Connect(IPAddress.Loopback, _port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <returns>False when the client was cut off: the byte before this one has found nobody.</returns>
    private bool TrySend(Socket socket, int position)
    {
        try
        {
            socket.Send(_hello.AsSpan(position, 1));
            Sent++;
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
