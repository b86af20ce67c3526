using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// Clients that send one byte a second of a ClientHello, from many addresses. None stays longer than a door lets it: it goes a moment before it would be cut
/// off, and comes back. Their first visits are of all lengths, so that from the beginning as many come and go in a second as later on. A process of their own,
/// which says once a second what they have done.
/// </summary>
internal sealed class SlowHellos
{
    public const string Command = "bench-slow-hellos";

    /// <summary>In bytes, which are seconds: one less than the front door's limit for a whole hello.</summary>
    public const int LongestVisit = 19;

    private const int Batches = 20;
    private static readonly TimeSpan BatchEvery = TimeSpan.FromSeconds(1.0 / Batches);

    private readonly (Socket? Socket, int Sent, int Stay)[] _clients;
    private readonly byte[] _hello;
    private readonly int _port;
    private SlowFigures _figures;

    private SlowHellos(int port, byte[] hello, int count) => (_port, _hello, _clients) = (port, hello, new (Socket?, int, int)[count]);

    /// <summary>Until it is killed.</summary>
    /// <param name="args">Port and number of clients.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        int Number(int index) => int.Parse(args[index], CultureInfo.InvariantCulture);
        new SlowHellos(Number(0), await RawHello.ForAsync(BenchNames.PassedThrough), Number(1)).Run();
        return 0;
    }

    /// <summary>On a thread that sleeps: what these clients cost is taken from the users beside them, and a thread of the pool spins before it sleeps.</summary>
    private void Run()
    {
        using var never = new ManualResetEvent(false);
        var began = Stopwatch.GetTimestamp();
        for (var batch = 0; ; batch++)
        {
            if (batch > 0 && batch % Batches == 0) Console.WriteLine(_figures.ToLine());
            for (var i = batch % Batches; i < _clients.Length; i += Batches) Step(i);
            var pause = BatchEvery * (batch + 1) - Stopwatch.GetElapsedTime(began);
            if (pause > TimeSpan.Zero) never.WaitOne(pause);
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
            if (sent < stay) _figures = _figures with { CutOff = _figures.CutOff + 1 };
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
        _figures = _figures with { Bytes = _figures.Bytes + 1 };
        return true;
    }
}
