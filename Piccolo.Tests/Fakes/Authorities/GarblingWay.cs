using System.Net;
using System.Net.Sockets;

namespace Piccolo.Tests.Fakes.Authorities;

/// <summary>
/// A way through which bytes pass unchanged, until one writes nonsense among those that go to the client: what a broken TLS record looks like.
/// </summary>
internal sealed class GarblingWay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
    private readonly int _to;
    private volatile Socket? _client;

    public GarblingWay(int to)
    {
        _to = to;
        _listener.Start();
        _ = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async Task GarbleAsync() => await _client!.SendAsync(new byte[] { 0x17, 0x03, 0x03, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8 });

    public void Dispose()
    {
        _listener.Dispose();
        _client?.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                _client = client;
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await server.ConnectAsync(IPAddress.Loopback, _to);
                _ = CopyAsync(client, server);
                _ = CopyAsync(server, client);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16_384];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0) await to.SendAsync(buffer.AsMemory(0, read));
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The other side sees it below.
        }
        from.Dispose();
        to.Dispose();
    }
}
