using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Api.Ingress.Apps;

/// <summary>The key of a WebSocket's opening handshake and the proof that the other side has read it (RFC 6455, 4.2.2).</summary>
internal static class WebSocketHandshake
{
    private const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));

#pragma warning disable CA5350 // RFC 6455 prescribes SHA-1; it proves only that the key was read.
    /// <summary>What an app answers to <paramref name="key"/>.</summary>
    public static string AcceptOf(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Suffix)));
#pragma warning restore CA5350
}
