using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>
/// A client that was taken off a listening socket and for which nothing else was made yet: a descriptor and an address. The runtime asks the kernel
/// several things about what becomes a <see cref="Socket"/>, and who never says anything useful is not worth it. Disposing it is a regular end.
/// </summary>
public sealed class AcceptedClient : SafeHandle
{
    /// <param name="descriptor">Belongs to this object from now on.</param>
    public AcceptedClient(nint descriptor, IPEndPoint remote) : base(-1, ownsHandle: true)
    {
        SetHandle(descriptor);
        RemoteEndPoint = remote;
    }

    public IPEndPoint RemoteEndPoint { get; }

    public override bool IsInvalid => handle < 0;

    /// <summary>Gives the descriptor away; this object is over.</summary>
    /// <exception cref="SocketException">The kernel no longer knows anything of it; it is closed then.</exception>
    /// <exception cref="ObjectDisposedException">It was given away, or ended, before.</exception>
    public Socket ToSocket()
    {
        ObjectDisposedException.ThrowIf(IsClosed || IsInvalid, this);
        var own = new SafeSocketHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        try
        {
            return new Socket(own);
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>Ends it so that the client sees a break (RST) and not a regular end.</summary>
    public void Break()
    {
        SocketOptions.BreakOnClose(this);
        Dispose();
    }

    protected override bool ReleaseHandle() => Posix.Close((int)handle) == 0;
}
