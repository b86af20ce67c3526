using System.Buffers.Binary;
using System.Text;

namespace Piccolo.DevRelay.Entry;

/// <summary>What a user's first bytes are, as far as TLS goes.</summary>
internal enum HelloState
{
    NeedMore,
    NotTls,
    Complete,
}

/// <summary>
/// Finds the server name in a ClientHello (RFC 8446, 4.1.2; RFC 6066, 3), also when it comes in several records. Pure; refuses what a strict server refuses.
/// </summary>
internal static class ClientHello
{
    private const byte HandshakeRecord = 22;
    private const byte HelloMessage = 1;
    private const int RecordHead = 5;
    private const int LargestRecord = 16_384 + 2_048;
    private const int LargestHello = 65_536;
    private const int ServerNameExtension = 0;

    public static HelloState Parse(ReadOnlySpan<byte> bytes, out string? serverName)
    {
        serverName = null;
        var message = new byte[bytes.Length];
        var length = 0;
        while (true)
        {
            if (bytes.Length > 0 && bytes[0] != HandshakeRecord) return HelloState.NotTls;
            if (bytes.Length < RecordHead) return HelloState.NeedMore;
            var size = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
            if (BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]) >= 0x1000 || size > LargestRecord) return HelloState.NotTls;
            if (bytes.Length < RecordHead + size) return HelloState.NeedMore;
            bytes.Slice(RecordHead, size).CopyTo(message.AsSpan(length));
            length += size;
            bytes = bytes[(RecordHead + size)..];
            if (length < 4) continue;
            if (message[0] != HelloMessage) return HelloState.NotTls;
            var body = (message[1] << 16) | (message[2] << 8) | message[3];
            if (body > LargestHello) return HelloState.NotTls;
            if (length >= 4 + body) return TryReadBody(message.AsSpan(4, body), out serverName) ? HelloState.Complete : HelloState.NotTls;
        }
    }

    private static bool TryReadBody(ReadOnlySpan<byte> body, out string? serverName)
    {
        serverName = null;
        const int versionAndRandom = 2 + 32;
        if (body.Length < versionAndRandom) return false;
        body = body[versionAndRandom..];
        if (!TryTake(ref body, 1, out var sessionId) || sessionId.Length > 32) return false;
        if (!TryTake(ref body, 2, out var ciphers) || ciphers.Length % 2 != 0) return false;
        if (!TryTake(ref body, 1, out _)) return false;
        if (body.Length == 0) return true;
        if (!TryTake(ref body, 2, out var extensions) || body.Length != 0) return false;
        while (extensions.Length > 0)
        {
            if (extensions.Length < 2) return false;
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var content)) return false;
            if (type == ServerNameExtension && !TryReadNames(content, out serverName)) return false;
        }

        return true;
    }

    private static bool TryReadNames(ReadOnlySpan<byte> content, out string? serverName)
    {
        serverName = null;
        if (!TryTake(ref content, 2, out var names) || names.Length == 0 || content.Length != 0) return false;
        while (names.Length > 0)
        {
            var type = names[0];
            names = names[1..];
            if (!TryTake(ref names, 2, out var name) || name.Length == 0) return false;
            if (type != 0) continue;
            // One name of a kind, and never with a trailing dot (RFC 6066, section 3).
            if (serverName is not null || name[^1] == (byte)'.') return false;
            serverName = Encoding.Latin1.GetString(name);
        }

        return true;
    }

    /// <summary>Takes a vector whose length stands before it in <paramref name="lengthBytes"/> bytes.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> from, int lengthBytes, out ReadOnlySpan<byte> vector)
    {
        vector = default;
        if (from.Length < lengthBytes) return false;
        var length = lengthBytes == 1 ? from[0] : BinaryPrimitives.ReadUInt16BigEndian(from);
        if (from.Length < lengthBytes + length) return false;
        vector = from.Slice(lengthBytes, length);
        from = from[(lengthBytes + length)..];
        return true;
    }
}
