using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// Clients that send one byte a second of a ClientHello, from many addresses. None stays longer than a door lets it: it goes a moment before it would be cut
/// off, and comes back. Their first visits are of all lengths, so that from the beginning as many come and go in a second as later on.
/// </summary>
internal sealed class SlowHellos : IDisposable
{
    /// <summary>In bytes, which are seconds: one less than the front door's limit for a whole hello.</summary>
    public const int LongestVisit = 19;

    private const int Batches = 20;
    private static readonly TimeSpan BatchEvery = TimeSpan.FromSeconds(1.0 / Batches);

    private readonly ManualResetEvent _ended = new(false);
    private readonly (Socket? Socket, int Sent, int Stay)[] _clients;
    private readonly byte[] _hello;
    private readonly int _port;
    private readonly TaskCompletionSource _allConnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private long _sent;

    private SlowHellos(int port, byte[] hello, int count)
    {
        (_port, _hello, _clients) = (port, hello, new (Socket?, int, int)[count]);
        _thread = new Thread(Run) { IsBackground = true, Name = "slow-hellos" };
        _thread.Start();
    }

    /// <summary>How many bytes were sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>How often a client went and came back.</summary>
    public int Returned { get; private set; }

    /// <summary>How often one was cut off before its time.</summary>
    public int CutOff { get; private set; }

    /// <summary>Returns when all are connected and sending.</summary>
    public static async Task<SlowHellos> StartAsync(int port, byte[] hello, int count)
    {
        var slow = new SlowHellos(port, hello, count);
        await slow._allConnected.Task;
        return slow;
    }

    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        foreach (var (socket, _, _) in _clients) socket?.Dispose();
        _ended.Dispose();
    }

    /// <summary>On a thread that sleeps: what these clients cost is taken from the users beside them, and a thread of the pool spins before it sleeps.</summary>
    private void Run()
    {
        var began = Stopwatch.GetTimestamp();
        for (var batch = 0; ; batch++)
        {
            if (batch == Batches) _allConnected.TrySetResult();
            for (var i = batch % Batches; i < _clients.Length; i += Batches) Step(i);
            var pause = BatchEvery * (batch + 1) - Stopwatch.GetElapsedTime(began);
            if (_ended.WaitOne(pause > TimeSpan.Zero ? pause : TimeSpan.Zero)) return;
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

    /// <summary>A socket of which the runtime's own poller knows nothing costs the least.</summary>
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
        if (SocketTransfer.SendOrBroken(socket, _hello.AsSpan(position, 1)) != 1) return false;
        _sent++;
        return true;
    }
}
