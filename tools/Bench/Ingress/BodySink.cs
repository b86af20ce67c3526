using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// The app that takes bodies: reads each to its end, and only then answers 204. As a process of its own, on two threads that do no more than that, so that it
/// is not what is measured. nginx alone answers before it has read a body, or writes it to a file.
/// </summary>
internal sealed class BodySink : IDisposable
{
    public const string Command = "bench-body-sink";

    private const int Listening = 0;
    private const int Threads = 2;
    private const int Backlog = 8192;
    private static readonly byte[] Done = "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray();
    private static readonly byte[] NoLength = "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n"u8.ToArray();

    private readonly SocketPoller _poller = new();
    private readonly Dictionary<int, Client> _clients = [];
    private readonly byte[] _buffer = GC.AllocateArray<byte>(256 * 1024, pinned: true);
    private int _last;

    /// <summary>Until it is killed.</summary>
    /// <param name="args">The port.</param>
    public static int Run(string[] args)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture)));
        socket.Listen(Backlog);
        for (var i = 1; i < Threads; i++) new Thread(() => Serve(socket)) { IsBackground = true, Name = "body sink" }.Start();
        Serve(socket);
        return 0;
    }

    public void Dispose() => _poller.Dispose();

    private static void Serve(Socket socket)
    {
        using var sink = new BodySink();
        sink.ServeAll(socket);
    }

    private void ServeAll(Socket socket)
    {
        _poller.AddListening(socket.SafeHandle, Listening);
        var ready = new (int Tag, SocketReadiness Readiness)[256];
        while (true)
        {
            var count = _poller.Wait(ready, Timeout.Infinite);
            for (var i = 0; i < count; i++)
            {
                if (ready[i].Tag == Listening) Accept(socket);
                else if (_clients.TryGetValue(ready[i].Tag, out var client) && !TryServe(client)) End(ready[i].Tag, client);
            }
        }
    }

    private void Accept(Socket listening)
    {
        while (true)
        {
            try
            {
                var socket = listening.Accept();
                socket.NoDelay = true;
                _clients[++_last] = new Client(socket);
                _poller.Add(socket.SafeHandle, _last);
            }
            catch (SocketException)
            {
                // Nobody waits any more.
                return;
            }
        }
    }

    private void End(int tag, Client client)
    {
        _clients.Remove(tag);
        client.Socket.Dispose();
    }

    /// <returns>False when there is nobody left to serve.</returns>
    private bool TryServe(Client client)
    {
        while (true)
        {
            // The head's first part, when it came in two, stands before what comes now.
            client.Head.CopyTo(_buffer, 0);
            var kept = client.Head.Length;
            var received = SocketTransfer.ReceiveOrBroken(client.Socket, _buffer.AsSpan(kept));
            if (received is 0 or SocketTransfer.Broken) return false;
            if (received < 0) return true;
            client.Head = [];
            if (!TryTake(client, _buffer.AsSpan(0, kept + received))) return false;
        }
    }

    private static bool TryTake(Client client, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (client.BodyLeft == 0)
            {
                var end = bytes.IndexOf("\r\n\r\n"u8);
                if (end < 0)
                {
                    client.Head = bytes.ToArray();
                    return true;
                }
                if (Length(bytes[..end]) is not { } length)
                {
                    SocketTransfer.SendOrBroken(client.Socket, NoLength);
                    return false;
                }
                client.BodyLeft = length;
                bytes = bytes[(end + 4)..];
            }
            var taken = (int)Math.Min(client.BodyLeft, bytes.Length);
            client.BodyLeft -= taken;
            bytes = bytes[taken..];
            if (client.BodyLeft == 0 && SocketTransfer.SendOrBroken(client.Socket, Done) != Done.Length) return false;
        }
        return true;
    }

    /// <summary>Both front doors pass a length on; a body in chunks is none of this program's.</summary>
    private static long? Length(ReadOnlySpan<byte> head)
    {
        var name = "Content-Length:"u8;
        foreach (var line in head.Split("\r\n"u8))
        {
            var field = head[line];
            if (field.Length > name.Length && Ascii.EqualsIgnoreCase(field[..name.Length], name))
                return long.Parse(field[name.Length..].Trim((byte)' '), CultureInfo.InvariantCulture);
        }
        return null;
    }

    private sealed class Client(Socket socket)
    {
        public Socket Socket => socket;

        public byte[] Head { get; set; } = [];

        public long BodyLeft { get; set; }
    }
}
