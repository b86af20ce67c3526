using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives.Sockets;
using Piccolo.Rig;

namespace Piccolo.Tests.Core.Primitives;

internal sealed class LocalConnectTests
{
    /// <summary>The same two ends twice: what a machine answers that has no port left towards a listener.</summary>
    [Test]
    public void Begin_WithoutAPortLeft_IsNotToldAsARefusal()
    {
        using var listener = Listen(backlog: 8);
        var port = PortOf(listener);
        using var first = BoundTo(0);
        first.Connect(IPAddress.Loopback, port);
        using var second = BoundTo(((IPEndPoint)first.LocalEndPoint!).Port);

        var refused = Assert.Throws<SocketException>(() => LocalConnect.Begin(second, port));

        Assert.That(refused!.SocketErrorCode, Is.EqualTo(SocketError.AddressNotAvailable));

        static Socket BoundTo(int local)
        {
            var socket = NewSocket();
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, local));
            return socket;
        }
    }

    [Test]
    public void AtOnce_ToWhoListens_IsConnected()
    {
        using var listener = Listen(backlog: 8);
        using var socket = NewSocket();

        Assert.That(LocalConnect.AtOnce(socket, PortOf(listener)), Is.True);

        using var accepted = listener.AcceptSocket();
        accepted.Send("x"u8);
        Assert.That(socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), Is.True);
    }

    [Test]
    public void AtOnce_WhereNobodyListens_IsRefused()
    {
        using var socket = NewSocket();
        var port = LoopbackPorts.Free(1)[0];

        Assert.That(() => LocalConnect.AtOnce(socket, port),
            Throws.InstanceOf<SocketException>().With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public void AtOnce_ToWhoIsTooBusy_DoesNotWait()
    {
        using var listener = Listen(backlog: 1);
        var waiting = new List<Socket>();
        try
        {
            var connected = true;
            // A queue of one takes two or three; nobody takes them off.
            while (connected && waiting.Count < 16)
            {
                waiting.Add(NewSocket());
                connected = LocalConnect.AtOnce(waiting[^1], PortOf(listener));
            }

            Assert.That(connected, Is.False);
        }
        finally
        {
            waiting.ForEach(s => s.Dispose());
        }
    }

    private static TcpListener Listen(int backlog)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog);
        return listener;
    }

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
}
