using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// Clients that send one byte a second of a ClientHello, from many addresses. None stays longer than a door lets it: it goes a moment before it would be cut
/// off, and comes back. Their first visits are of all lengths, so that from the beginning as many come and go in a second as later on. A process of their own,
/// which is told by lines on its standard input (<see cref="SlowOrder"/>) when they are to come and go, and answers each.
/// </summary>
internal sealed class SlowHellos : IDisposable
{
    public const string Command = "bench-slow-hellos";

    /// <summary>In bytes, which are seconds: one less than the front door's limit for a whole hello.</summary>
    public const int LongestVisit = 19;

    private const int Batches = 20;
    private static readonly TimeSpan BatchEvery = TimeSpan.FromSeconds(1.0 / Batches);

    private readonly (Socket? Socket, int Sent, int Stay)[] _clients;
    private readonly byte[] _hello;
    private readonly int _port;
    private readonly BlockingCollection<SlowOrder> _orders = new(boundedCapacity: 100);
    private int _answered;
    private SlowFigures _figures;

    private SlowHellos(int port, byte[] hello, int count) => (_port, _hello, _clients) = (port, hello, new (Socket?, int, int)[count]);

    /// <summary>Until its standard input ends.</summary>
    /// <param name="args">Port and number of clients.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        int Number(int index) => int.Parse(args[index], CultureInfo.InvariantCulture);
        using var clients = new SlowHellos(Number(0), await RawHello.ForAsync(BenchNames.PassedThrough), Number(1));
        new Thread(clients.ReadOrders) { IsBackground = true, Name = "orders" }.Start();
        clients.Run();
        return 0;
    }

    public void Dispose() => _orders.Dispose();

    private void ReadOrders()
    {
        while (Console.In.ReadLine() is { } line) _orders.Add(Enum.Parse<SlowOrder>(line));
        _orders.CompleteAdding();
    }

    private void Run()
    {
        foreach (var order in _orders.GetConsumingEnumerable())
        {
            if (order == SlowOrder.Come) Attack();
            Answer();
        }
    }

    /// <summary>Until they are told to go, on a thread that sleeps: what these clients cost is taken from the users beside them.</summary>
    private void Attack()
    {
        var began = Stopwatch.GetTimestamp();
        for (var batch = 0; !_orders.IsCompleted; batch++)
        {
            if (batch == Batches) Answer();
            for (var i = batch % Batches; i < _clients.Length; i += Batches) Step(i);
            while (BatchEvery * (batch + 1) - Stopwatch.GetElapsedTime(began) is var pause && pause > TimeSpan.Zero && _orders.TryTake(out var order, pause))
            {
                if (order == SlowOrder.Go)
                {
                    Leave();
                    return;
                }
                Answer();
            }
        }
    }

    private void Answer() => Console.WriteLine(_figures.ToLine(++_answered));

    private void Leave()
    {
        foreach (var (socket, _, _) in _clients) socket?.Dispose();
        Array.Clear(_clients);
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
            if (sent < stay) CutOff();
            _figures = _figures with { CameBack = _figures.CameBack + 1 };
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
            CutOff();
        }
    }

    private void CutOff() => _figures = _figures with { CutOff = _figures.CutOff + 1 };

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
        _figures = _figures with { Bytes = _figures.Bytes + 1 };
        return true;
    }
}
