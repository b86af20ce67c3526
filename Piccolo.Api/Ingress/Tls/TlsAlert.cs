using System.IO.Pipelines;
using System.Net.Sockets;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>Fatal alerts that are sent before any handshake: plaintext records (RFC 8446, 6).</summary>
internal static class TlsAlert
{
    // Alert record, legacy version 1.2, length 2, fatal, unrecognized_name (RFC 6066, 3).
    private static readonly byte[] UnrecognizedNameRecord = [21, 3, 3, 0, 2, 2, 112];

    /// <summary>Before anything was read from the socket: what has come is taken off it, for unread bytes would turn the close into a reset.</summary>
    public static void SendUnrecognizedName(Socket socket)
    {
        try
        {
            SocketTransfer.Drain(socket);
            // Into an empty buffer: the kernel takes them whole.
            socket.Send(UnrecognizedNameRecord);
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Nobody is there to be told.
        }
    }

    /// <summary>Seven bytes as the first of an empty pipe: this never waits, so it takes no token. A client that has sent its FIN still reads.</summary>
    public static async ValueTask SendUnrecognizedNameAsync(PipeWriter output) =>
        await output.WriteAsync(UnrecognizedNameRecord);
}
