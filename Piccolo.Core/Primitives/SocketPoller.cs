using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>What the kernel says about a socket (epoll_ctl(2)).</summary>
[Flags]
public enum SocketReadiness
{
    None = 0,

    /// <summary>There are bytes, or the end of them.</summary>
    Readable = 0x1,

    /// <summary>There is room for bytes.</summary>
    Writable = 0x4,

    Failed = 0x8,

    /// <summary>Both directions are over.</summary>
    HungUp = 0x10,

    /// <summary>The other side sends nothing more; its last bytes may still be here.</summary>
    PeerEnded = 0x2000,
}

/// <summary>
/// Tells of many sockets which of them have become ready (epoll(7), edge by edge). For code that copies bytes between sockets and must not pay for a
/// completion, a buffer and a thread of the pool each time. All but <see cref="Wait"/> may be called from any thread.
/// </summary>
public sealed class SocketPoller : IDisposable
{
    /// <summary>What <see cref="ReceiveOrBroken"/> says of a broken connection.</summary>
    public const int Broken = -2;

    private const int MaxEvents = 256;
    private const int OperationAdd = 1;
    private const int OperationRemove = 2;
    private const int OperationChange = 3;
    private const uint EdgeByEdge = 1u << 31;
    private const int WakeTag = -1;

    // The structure is packed on x86-64 only.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventLength = DataOffset + 8;

    private readonly byte[] _events = new byte[MaxEvents * EventLength];
    private readonly SafeFileDescriptor _poll;
    private readonly SafeFileDescriptor _wake;

    /// <exception cref="IOException">The kernel has no descriptor left.</exception>
    public SocketPoller()
    {
        _poll = SafeFileDescriptor.Of(Posix.EpollCreate(Posix.CloseOnExec));
        // Non-blocking: only its becoming ready counts.
        _wake = SafeFileDescriptor.Of(Posix.EventFd(0, Posix.CloseOnExec | Posix.NonBlocking));
        Control(OperationAdd, _wake, (uint)SocketReadiness.Readable | EdgeByEdge, WakeTag);
    }

    /// <summary>From now on each change is told, beginning with what the socket is ready for already; room for bytes is not.</summary>
    /// <param name="tag">What <see cref="Wait"/> names the socket by; not negative.</param>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void Add(Socket socket, int tag) =>
        Control(OperationAdd, socket.SafeHandle, (uint)(SocketReadiness.Readable | SocketReadiness.PeerEnded) | EdgeByEdge, tag);

    /// <summary>Room for bytes is told too from now on, at once when there is some already.</summary>
    /// <exception cref="IOException">The socket was never added.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void TellRoom(Socket socket, int tag) =>
        Control(OperationChange, socket.SafeHandle, (uint)(SocketReadiness.Readable | SocketReadiness.Writable | SocketReadiness.PeerEnded) | EdgeByEdge, tag);

    /// <summary>A closed socket has gone by itself. What <see cref="Wait"/> has brought already may still name it.</summary>
    public void Remove(Socket socket)
    {
        try
        {
            Control(OperationRemove, socket.SafeHandle, 0, 0);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // Gone.
        }
    }

    /// <summary>Makes the <see cref="Wait"/> that runs, or the next one, return.</summary>
    public void Wake()
    {
        ulong one = 1;
        try
        {
            _ = Posix.Write(_wake, in one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    /// <summary>Waits until something has changed.</summary>
    /// <param name="milliseconds">At most so long; -1 is without end.</param>
    /// <param name="ready">What became ready, by tag.</param>
    /// <returns>How many; a wake is none.</returns>
    public int Wait(Span<(int Tag, SocketReadiness Readiness)> ready, int milliseconds)
    {
        var count = Posix.EpollWait(_poll, ref MemoryMarshal.GetArrayDataReference(_events), Math.Min(ready.Length, MaxEvents), milliseconds);
        var told = 0;
        // A negative count is an interruption by a signal: there is nothing to tell.
        for (var i = 0; i < count; i++)
        {
            var one = _events.AsSpan(i * EventLength, EventLength);
            var tag = BinaryPrimitives.ReadInt32LittleEndian(one[DataOffset..]);
            if (tag == WakeTag) _ = Posix.Read(_wake, out _, sizeof(ulong));
            else ready[told++] = (tag, (SocketReadiness)BinaryPrimitives.ReadUInt32LittleEndian(one));
        }
        return told;
    }

    /// <summary>
    /// Connects to a port of this machine, which takes no time unless the listener is too busy to answer. The runtime's own way would watch the socket from
    /// then on, and wake threads for all that happens on it.
    /// </summary>
    /// <param name="socket">Of IPv4, fresh; after a failure it is of no more use.</param>
    /// <param name="patience">How long the thread waits at most.</param>
    /// <returns>False when nobody has answered so soon.</returns>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static bool ConnectToThisMachine(Socket socket, int port, TimeSpan patience)
    {
        // What bounds a blocking connect, too (socket(7)).
        socket.SendTimeout = (int)patience.TotalMilliseconds;
        return TryConnect(socket, port);
    }

    /// <summary>Begins to connect to a port of this machine; room for bytes tells the end of it.</summary>
    /// <param name="socket">Of IPv4, fresh; after a failure it is of no more use.</param>
    /// <returns>Whether it is over already.</returns>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static bool BeginConnectToThisMachine(Socket socket, int port)
    {
        socket.Blocking = false;
        return TryConnect(socket, port);
    }

    /// <summary>How a connect that was begun has ended.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static void EndConnect(Socket socket)
    {
        if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error and not 0) throw new SocketException(error);
    }

    /// <summary>Takes what is there, without waiting.</summary>
    /// <returns>How much; 0 is the end, -1 that there is nothing now.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int Receive(Socket socket, Span<byte> buffer) =>
        ReceiveOrBroken(socket, buffer) is var received && received != Broken ? received : throw new SocketException((int)SocketError.ConnectionReset);

    /// <summary>As <see cref="Receive"/>, for those to whom a break is nothing special: most TLS clients leave so, with our last bytes unread.</summary>
    /// <returns><see cref="Broken"/> for a broken connection.</returns>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int ReceiveOrBroken(Socket socket, Span<byte> buffer)
    {
        while (true)
        {
            var received = (int)Posix.Receive(socket.SafeHandle, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length, Posix.DoNotWait);
            if (received >= 0) return received;
            if (Failure() is var failure && failure != 0) return failure;
        }
    }

    /// <summary>Gives what there is room for, without waiting.</summary>
    /// <returns>How much; -1 when there is no room now.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int Send(Socket socket, ReadOnlySpan<byte> bytes) =>
        SendOrBroken(socket, bytes) is var sent && sent != Broken ? sent : throw new SocketException((int)SocketError.ConnectionReset);

    /// <inheritdoc cref="Send"/>
    /// <returns><see cref="Broken"/> for a broken connection.</returns>
    public static int SendOrBroken(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            var sent = (int)Posix.Send(socket.SafeHandle, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length, Posix.DoNotWait | Posix.NoSignal);
            if (sent >= 0) return sent;
            if (Failure() is var failure && failure != 0) return failure;
        }
    }

    public void Dispose()
    {
        _poll.Dispose();
        _wake.Dispose();
    }

    private static bool TryConnect(Socket socket, int port)
    {
        // struct sockaddr_in: family in the machine's order, port and address in the network's.
        Span<byte> address = stackalloc byte[16];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, (ushort)AddressFamily.InterNetwork);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], (ushort)port);
        IPAddress.Loopback.TryWriteBytes(address[4..], out _);
        if (Posix.Connect(socket.SafeHandle, ref MemoryMarshal.GetReference(address), address.Length) == 0) return true;
        return Marshal.GetLastPInvokeError() is Posix.InProgress or Posix.WouldBlock or Posix.Interrupted ? false : throw new SocketException((int)SocketError.ConnectionRefused);
    }

    /// <returns>0: once more. -1: there is nothing to do but wait. <see cref="Broken"/>: which of the kernel's reasons it was makes no difference to anyone.</returns>
    private static int Failure() => Marshal.GetLastPInvokeError() switch
    {
        Posix.Interrupted => 0,
        Posix.WouldBlock => -1,
        _ => Broken,
    };

    private void Control(int operation, SafeHandle descriptor, uint events, int tag)
    {
        Span<byte> one = stackalloc byte[EventLength];
        BinaryPrimitives.WriteUInt32LittleEndian(one, events);
        BinaryPrimitives.WriteInt32LittleEndian(one[DataOffset..], tag);
        if (Posix.EpollControl(_poll, operation, descriptor, ref MemoryMarshal.GetReference(one)) != 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    private sealed class SafeFileDescriptor() : SafeHandle(-1, ownsHandle: true)
    {
        public override bool IsInvalid => handle < 0;

        public static SafeFileDescriptor Of(int descriptor)
        {
            if (descriptor < 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
            var safe = new SafeFileDescriptor();
            safe.SetHandle(descriptor);
            return safe;
        }

        protected override bool ReleaseHandle() => Posix.Close((int)handle) == 0;
    }
}
