using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>Opcodes of RFC 6455, section 5.2.</summary>
internal enum WebSocketOpcode : byte
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

/// <summary>The head of a frame that a server sent.</summary>
/// <param name="Size">Bytes of the head itself.</param>
internal readonly record struct WebSocketHead(WebSocketOpcode Opcode, bool IsFinal, int Size, ulong Length)
{
    public bool IsControl => ((byte)Opcode & 0x8) != 0;
}

internal enum WebSocketVerdict
{
    NeedMore,
    Head,

    /// <summary>What RFC 6455 forbids.</summary>
    Violation,
}

/// <summary>RFC 6455 framing of the client's side: plain heads in, masked frames out. Pure, span based, allocation free; no input makes it throw.</summary>
internal static class WebSocketFrame
{
    public const int MaxControlPayloadBytes = 125;

    /// <summary>Of a frame that we send: messages of 64 KiB and more need the long form.</summary>
    public const int MaxHeadBytes = 14;

    private const byte Final = 0x80;
    private const byte Masked = 0x80;
    private const byte Reserved = 0x70;
    private const int MaskLength = 4;
    private const int TwoBytes = 126;
    private const int EightBytes = 127;

    public static WebSocketVerdict ReadHead(ReadOnlySpan<byte> bytes, out WebSocketHead head)
    {
        head = default;
        if (bytes.Length < 2) return WebSocketVerdict.NeedMore;
        var opcode = (WebSocketOpcode)(bytes[0] & 0x0F);
        var isFinal = (bytes[0] & Final) != 0;
        var shortLength = bytes[1] & 0x7F;
        var isControl = ((byte)opcode & 0x8) != 0;
        // A server never masks; there is no extension that could use the reserved bits.
        if ((bytes[0] & Reserved) != 0 || (bytes[1] & Masked) != 0 || !IsKnown(opcode)) return WebSocketVerdict.Violation;
        if (isControl && (!isFinal || shortLength > MaxControlPayloadBytes)) return WebSocketVerdict.Violation;

        var size = shortLength switch { TwoBytes => 4, EightBytes => 10, _ => 2 };
        if (bytes.Length < size) return WebSocketVerdict.NeedMore;
        var length = shortLength switch
        {
            TwoBytes => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            EightBytes => BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]),
            _ => (ulong)shortLength,
        };
        head = new WebSocketHead(opcode, isFinal, size, length);
        return WebSocketVerdict.Head;
    }

    /// <summary>The bytes of a frame's head with its mask.</summary>
    public static int HeadLength(int payload) => MaskLength + (payload < TwoBytes ? 2 : payload <= ushort.MaxValue ? 4 : 10);

    /// <summary>Writes the head of a whole, masked frame.</summary>
    /// <param name="head">As long as <see cref="HeadLength"/> says.</param>
    public static void WriteHead(Span<byte> head, WebSocketOpcode opcode, int payload, uint mask)
    {
        head[0] = (byte)(Final | (byte)opcode);
        switch (head.Length)
        {
            case 2 + MaskLength:
                head[1] = (byte)(Masked | payload);
                break;
            case 4 + MaskLength:
                head[1] = Masked | TwoBytes;
                BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)payload);
                break;
            default:
                head[1] = Masked | EightBytes;
                BinaryPrimitives.WriteUInt64BigEndian(head[2..], (ulong)payload);
                break;
        }
        MemoryMarshal.Write(head[^MaskLength..], in mask);
    }

    /// <summary>Masks a payload in place; doing it twice restores it.</summary>
    /// <param name="mask">Its bytes in memory order are those of the head.</param>
    public static void Mask(Span<byte> payload, uint mask)
    {
        var wide = new Vector<uint>(mask);
        var vectors = MemoryMarshal.Cast<byte, Vector<uint>>(payload);
        for (var i = 0; i < vectors.Length; i++) vectors[i] ^= wide;
        var rest = payload[(vectors.Length * Vector<byte>.Count)..];
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in mask));
        for (var i = 0; i < rest.Length; i++) rest[i] ^= bytes[i & 3];
    }

    private static bool IsKnown(WebSocketOpcode opcode) => opcode is <= WebSocketOpcode.Binary or >= WebSocketOpcode.Close and <= WebSocketOpcode.Pong;
}
