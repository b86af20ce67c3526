using System.Net;
using System.Net.Sockets;
using Piccolo.Rig.Net;

namespace Piccolo.Tests.Fakes.Networks;

/// <summary>
/// Two networks of the kernel's own: a box, where an engine, its containers and the firewall are, and a world behind a router, with a device of the LAN, the
/// internet and more. No packet leaves this machine. The addresses of the world, and the first of the box,
/// answer at <see cref="Port"/> and 53 over TCP, some over UDP too.
/// </summary>
internal sealed class AppNetworks : IAsyncDisposable
{
    public const string Internet = "203.0.113.10";
    public const string Lan = "192.168.77.2";
    public const string OtherPrivate = "172.20.1.1";
    public const string PublicButAttached = "198.51.100.2";
    public const string Carrier = "100.64.0.9";
    public const string LinkLocal = "169.254.169.254";
    public const string BoxOnTheLan = "192.168.77.1";
    public const string BoxBesides = "198.51.100.1";
    public const int Port = 8000;

    private const int Patience = 3_000_000;

    private readonly List<IDisposable> _servers = [];

    private AppNetworks(NetworkNamespace box, NetworkNamespace world) => (Box, World) = (box, world);

    public NetworkNamespace Box { get; }

    private NetworkNamespace World { get; }

    public static async Task<AppNetworks> CreateAsync()
    {
        var made = new AppNetworks(await NetworkNamespace.CreateAsync(), await NetworkNamespace.CreateAsync());
        var (box, world) = (made.Box, made.World);
        await box.ConnectAsync("lan0", BoxOnTheLan + "/24", world, "lan0", Lan + "/24");
        await box.ConnectAsync("lan1", BoxBesides + "/24", world, "lan1", PublicButAttached + "/24");
        await box.RunAsync("ip", ["route", "add", "default", "via", Lan]);
        foreach (var address in new[] { Internet, OtherPrivate, Carrier, LinkLocal, TestFirewall.Resolver })
            await world.RunAsync("ip", ["addr", "add", address + "/32", "dev", "lo"]);
        made.Serve(box, IPAddress.Any, Port);
        made.Serve(box, IPAddress.Parse(BoxOnTheLan), 53);
        foreach (var port in new[] { Port, 53 })
        {
            made.Serve(world, IPAddress.Any, port);
            foreach (var address in new[] { Internet, Lan, TestFirewall.Resolver }) made.ServeDatagrams(world, new IPEndPoint(IPAddress.Parse(address), port));
        }
        return made;
    }

    /// <summary>A connection out of the box, for clients that talk to its ports.</summary>
    public ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) => ValueTask.FromResult<Stream>(
        new NetworkStream(Box.Make(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new IOException(e.Message, e);
            }
        }), ownsSocket: true));

    /// <summary>Whoever is in the network of a process of the container is the container to the firewall.</summary>
    /// <param name="from">The source address; null = the container's own.</param>
    /// <returns>"ok" when the other side answered; else the error.</returns>
    public static string Reach(int process, string address, int port = Port, ProtocolType protocol = ProtocolType.Tcp, string? from = null) =>
        NetworkNamespace.MakeIn($"/proc/{process}/ns/net", () =>
        {
            using var socket = Open(protocol);
            return Try(() =>
            {
                if (from is not null) socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                return protocol == ProtocolType.Tcp ? Connect(socket, new IPEndPoint(IPAddress.Parse(address), port))
                    : Ask(socket, new IPEndPoint(IPAddress.Parse(address), port));
            });
        });

    /// <summary>A socket in the container's network.</summary>
    public static Socket SocketIn(int process) => NetworkNamespace.MakeIn($"/proc/{process}/ns/net", () => Open(ProtocolType.Udp));

    /// <summary>Sends a datagram and waits for its echo.</summary>
    public static string Ask(Socket socket, string address, int port = Port) => Try(() => Ask(socket, new IPEndPoint(IPAddress.Parse(address), port)));

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) server.Dispose();
        await World.DisposeAsync();
        await Box.DisposeAsync();
    }

    private static Socket Open(ProtocolType protocol) =>
        new(AddressFamily.InterNetwork, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol);

    private static string Try(Func<string> act)
    {
        try
        {
            return act();
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode.ToString();
        }
    }

    private static string Connect(Socket socket, IPEndPoint to)
    {
        socket.Blocking = false;
        try
        {
            socket.Connect(to);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            if (!socket.Poll(Patience, SelectMode.SelectWrite)) return nameof(SocketError.TimedOut);
            var error = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            if (error != SocketError.Success) return error.ToString();
        }
        return "ok";
    }

    private static string Ask(Socket socket, IPEndPoint to)
    {
        socket.ReceiveTimeout = Patience / 1000;
        socket.Connect(to);
        socket.Send("hello"u8);
        return socket.Receive(new byte[16]) == 5 ? "ok" : "another answer";
    }

    private void Serve(NetworkNamespace network, IPAddress address, int port)
    {
        var listener = network.Listen(new IPEndPoint(address, port));
        _servers.Add(listener);
        _ = UntilDisposedAsync(async () => (await listener.AcceptAsync()).Dispose());
    }

    private void ServeDatagrams(NetworkNamespace network, IPEndPoint at)
    {
        var socket = network.Make(() =>
        {
            var made = Open(ProtocolType.Udp);
            made.Bind(at);
            return made;
        });
        _servers.Add(socket);
        var buffer = new byte[64];
        _ = UntilDisposedAsync(async () =>
        {
            var got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
            await socket.SendToAsync(buffer.AsMemory(0, got.ReceivedBytes), got.RemoteEndPoint);
        });
    }

    private static async Task UntilDisposedAsync(Func<Task> step)
    {
        try
        {
            while (true) await step();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }
}
