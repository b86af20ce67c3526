using System.Net;
using System.Net.Sockets;

namespace Piccolo.Rig.Load;

/// <summary>A way to the sample app: through the relay, or straight to the port at which its container is published.</summary>
/// <param name="FromMany">Whether visitors come from several addresses; a container's port answers 127.0.0.1 only.</param>
internal sealed record TunnelRoute(string Name, Uri Base, IPEndPoint Target, bool FromMany)
{
    /// <summary>The appliance allows 256 streams of one address; so visitors come from several.</summary>
    private const int Addresses = 8;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly byte[] FirstVisitor = [127, 0, 0, 77];

    // Over all clients, so that together they spread over the addresses.
    private static int _opened;

    /// <summary>A client with connections of its own, from as many loopback addresses as it needs.</summary>
    public HttpClient NewClient(int connections)
    {
        return new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            MaxConnectionsPerServer = connections,
            ConnectCallback = (_, cancellationToken) => ConnectAsync(Interlocked.Increment(ref _opened), cancellationToken),
            // The certificate is not what is measured, and the app's own is of no known issuer.
#pragma warning disable CA5359
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
        })
        { BaseAddress = Base, Timeout = Limit };
    }

    private async ValueTask<Stream> ConnectAsync(int number, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            var from = FirstVisitor.ToArray();
            from[3] += (byte)(number % Addresses);
            if (FromMany) socket.Bind(new IPEndPoint(new IPAddress(from), 0));
            await socket.ConnectAsync(Target, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
