using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives.Sockets;

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
/// Tells of many sockets which of them have become ready (epoll(7), edge-triggered). For code that copies bytes between sockets and must not pay for a
/// completion, a buffer and a thread of the pool each time. All but <see cref="Wait"/> may be called from any thread.
/// </summary>
public sealed class SocketPoller : IDisposable
{
    private const int MaxEvents = 256;
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
        _poll = SafeFileDescriptor.Of(Posix.EpollCreate(Posix.O_CLOEXEC));
        // Non-blocking: only its becoming ready counts.
        _wake = SafeFileDescriptor.Of(Posix.EventFd(0, Posix.O_CLOEXEC | Posix.O_NONBLOCK));
        Control(Posix.EPOLL_CTL_ADD, _wake, (uint)SocketReadiness.Readable | Posix.EPOLLET, WakeTag);
    }

    /// <summary>From now on each change is told, beginning with what the socket is ready for already; room for bytes is not.</summary>
    /// <param name="tag">What <see cref="Wait"/> names the socket by; not negative.</param>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void Add(SafeHandle socket, int tag) =>
        Control(Posix.EPOLL_CTL_ADD, socket, (uint)(SocketReadiness.Readable | SocketReadiness.PeerEnded) | Posix.EPOLLET, tag);

    /// <summary>As <see cref="Add"/>, of a listening socket that several pollers have: each client is told to one of them that waits at that moment.</summary>
    /// <inheritdoc cref="Add"/>
    public void AddListening(SafeHandle socket, int tag) =>
        Control(Posix.EPOLL_CTL_ADD, socket, (uint)SocketReadiness.Readable | Posix.EPOLLET | Posix.EPOLLEXCLUSIVE, tag);

    /// <summary>Room for bytes is told too from now on, at once when there is some already.</summary>
    /// <exception cref="IOException">The socket was never added.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void WatchWritable(SafeHandle socket, int tag) =>
        Control(Posix.EPOLL_CTL_MOD, socket, (uint)(SocketReadiness.Readable | SocketReadiness.Writable | SocketReadiness.PeerEnded) | Posix.EPOLLET, tag);

    /// <summary>A closed socket has gone by itself. What <see cref="Wait"/> has brought already may still name it.</summary>
    public void Remove(SafeHandle socket)
    {
        try
        {
            Control(Posix.EPOLL_CTL_DEL, socket, 0, 0);
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

    public void Dispose()
    {
        _poll.Dispose();
        _wake.Dispose();
    }

    private void Control(int operation, SafeHandle descriptor, uint events, int tag)
    {
        Span<byte> one = stackalloc byte[EventLength];
        BinaryPrimitives.WriteUInt32LittleEndian(one, events);
        BinaryPrimitives.WriteInt32LittleEndian(one[DataOffset..], tag);
        if (Posix.EpollControl(_poll, operation, descriptor, ref MemoryMarshal.GetReference(one)) != 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
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
