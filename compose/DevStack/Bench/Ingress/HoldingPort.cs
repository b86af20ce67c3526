using System.Net;
using System.Net.Sockets;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// A port that accepts, and then neither reads nor answers: what clients cost the machine by themselves, with nobody who has to care for them. One thread,
/// which sleeps unless someone connects.
/// </summary>
internal sealed class HoldingPort : IDisposable
{
    private const int Backlog = 1024;

    private readonly Queue<(Socket Socket, long Until)> _held = new();
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TimeSpan _forgetAfter;
    private readonly Thread _thread;

    /// <param name="forgetAfter">When clients have gone for certain.</param>
    public HoldingPort(TimeSpan forgetAfter)
    {
        _forgetAfter = forgetAfter;
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listening.Listen(Backlog);
        Port = ((IPEndPoint)_listening.LocalEndPoint!).Port;
        _thread = new Thread(Run) { IsBackground = true, Name = "holding-port" };
        _thread.Start();
    }

    public int Port { get; }

    public void Dispose()
    {
        _listening.Dispose();
        _thread.Join();
        foreach (var (socket, _) in _held) socket.Dispose();
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                _held.Enqueue((_listening.Accept(), Environment.TickCount64 + (long)_forgetAfter.TotalMilliseconds));
                while (_held.TryPeek(out var oldest) && oldest.Until < Environment.TickCount64) _held.Dequeue().Socket.Dispose();
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Closed: the end.
        }
    }
}
