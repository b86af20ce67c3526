using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>
/// What the kernel may hold of a connection that the network has not taken yet (TCP_NOTSENT_LOWAT). On a slow line every answer, and every ping, queues behind
/// it: there it is as little as two messages. A fast line takes that between two wake-ups of the sender, so that it would be woken for each message; there it
/// is as much as the line takes in a few milliseconds. One sender at a time.
/// </summary>
internal sealed class UnsentLimit
{
    public const int MinBytes = 64 * 1024;

    /// <summary>When a fast line suddenly becomes slow, a ping waits for this much to be sent first: 4 s at 64 KB/s, less than its timeout.</summary>
    public const int MaxBytes = 256 * 1024;

    private static readonly TimeSpan MeasureFor = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan InFlight = TimeSpan.FromMilliseconds(4);

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private long _from;
    private long _sent;

    public UnsentLimit(Socket socket, TimeProvider time)
    {
        (_socket, _time, _from) = (socket, time, time.GetTimestamp());
        Set(MinBytes);
    }

    public int Current { get; private set; }

    /// <summary>So many bytes more were taken by the kernel.</summary>
    public void Sent(int count)
    {
        _sent += count;
        var elapsed = _time.GetElapsedTime(_from);
        if (elapsed < MeasureFor) return;
        var wanted = (int)Math.Clamp(_sent / elapsed.TotalSeconds * InFlight.TotalSeconds, MinBytes, MaxBytes);
        (_from, _sent) = (_time.GetTimestamp(), 0);
        // Small changes are ignored: a system call for each would cost more than it saves.
        if (wanted > Current * 5 / 4 || wanted < Current * 4 / 5) Set(wanted);
    }

    private void Set(int bytes)
    {
        Current = bytes;
        if (OperatingSystem.IsLinux()) _socket.SetRawSocketOption(Posix.IPPROTO_TCP, Posix.TCP_NOTSENT_LOWAT, BitConverter.GetBytes(bytes));
    }
}
