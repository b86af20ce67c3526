using System.Security.Cryptography;
using System.Text;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

/// <summary>The HTTP/1.1 side of the WebSocket opening handshake (RFC 6455, section 4.2), for one path and nothing else.</summary>
internal static class HttpUpgrade
{
    public const int HeadLimit = 16_384;

    private const string AcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Reads the request and answers it.</summary>
    /// <returns>Whether the connection is a WebSocket now.</returns>
    public static async Task<bool> AcceptAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[HeadLimit];
        var count = 0;
        int end;
        while ((end = buffer.AsSpan(0, count).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (count == buffer.Length)
            {
                await stream.WriteAsync(Refusal("431 Request Header Fields Too Large"), cancellationToken);
                return false;
            }

            var read = await stream.ReadAsync(buffer.AsMemory(count), cancellationToken);
            if (read == 0) return false;
            count += read;
        }

        var answer = Answer(Encoding.Latin1.GetString(buffer, 0, end), out var accepted);
        // A backend must wait for the answer before its first frame; what came early ends the connection, as in the stock relay.
        if (accepted && count > end + 4) return false;
        await stream.WriteAsync(answer, cancellationToken);
        return accepted;
    }

    /// <summary>The answer to a request head.</summary>
    public static byte[] Answer(string head, out bool accepted)
    {
        accepted = false;
        var lines = head.Split("\r\n");
        var request = lines[0].Split(' ');
        if (request.Length != 3 || request[2] != "HTTP/1.1") return Refusal("400 Bad Request");
        if (request[1].Split('?')[0] != Nexus.Path) return Refusal("404 Not Found");
        if (!HasToken(lines, "Connection", "upgrade") || !HasToken(lines, "Upgrade", "websocket")) return Refusal("400 Bad Request");
        if (request[0] != "GET") return Refusal("405 Method Not Allowed", "Allow: GET\r\n");
        if (!HasToken(lines, "Sec-WebSocket-Version", "13")) return Refusal("400 Bad Request", "Sec-WebSocket-Version: 13\r\n");
        var key = Values(lines, "Sec-WebSocket-Key").FirstOrDefault() ?? "";
        if (!IsKey(key)) return Refusal("400 Bad Request");
        accepted = true;
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {Accept(key)}\r\n\r\n");
    }

    // SHA-1 is what RFC 6455, section 4.2.2 asks for; it proves understanding, not identity.
#pragma warning disable CA5350
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + AcceptGuid)));
#pragma warning restore CA5350

    private static bool IsKey(string key)
    {
        Span<byte> nonce = stackalloc byte[18];
        return key.Length == 24 && Convert.TryFromBase64String(key, nonce, out var length) && length == 16;
    }

    private static bool HasToken(string[] lines, string name, string token) =>
        Values(lines, name).SelectMany(v => v.Split(',')).Any(v => v.Trim().Equals(token, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Values(string[] lines, string name) =>
        from line in lines.Skip(1)
        let colon = line.IndexOf(':', StringComparison.Ordinal)
        where colon > 0 && line.AsSpan(0, colon).Equals(name, StringComparison.OrdinalIgnoreCase)
        select line[(colon + 1)..].Trim();

    private static byte[] Refusal(string status, string header = "") =>
        Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status}\r\n{header}Content-Type: text/plain\r\nContent-Length: {status.Length}\r\nConnection: close\r\n\r\n{status}");
}
