using System.Net;
using System.Net.Sockets;

namespace Piccolo.DevRelay.Streams;

/// <summary>A user's socket at a public port.</summary>
internal sealed class UserConnection : IDisposable
{
    private readonly Socket _socket;

    public UserConnection(Socket socket, int advertisedPort)
    {
        _socket = socket;
        AdvertisedPort = advertisedPort;
        var remote = (IPEndPoint)socket.RemoteEndPoint!;
        Client = remote.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(remote.Address.MapToIPv4(), remote.Port) : remote;
    }

    public IPEndPoint Client { get; }

    public int AdvertisedPort { get; }

    /// <returns>0 once the user has finished.</returns>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        _socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0) bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }

    /// <summary>Sends FIN. Without it, closing with a read pending would reset the connection and lose what is on its way.</summary>
    public void Finish()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The user has gone already.
        }
    }

    public void Dispose()
    {
        Finish();
        _socket.Dispose();
    }
}
