using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Http;

/// <summary>The proof that the other side of a WebSocket's opening handshake has read its key (RFC 6455, 4.2.2).</summary>
public static class WebSocketAccept
{
    private const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#pragma warning disable CA5350 // Not for secrecy: RFC 6455 lets the other side show with SHA-1 that it understood.
    /// <param name="key">As it stands in <c>Sec-WebSocket-Key</c>.</param>
    /// <returns>What <c>Sec-WebSocket-Accept</c> has to be.</returns>
    public static string Of(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Suffix)));
#pragma warning restore CA5350
}
