using System.Buffers.Binary;

namespace Piccolo.DevRelay.Hub;

/// <summary>Opcodes of RFC 6455, section 5.2.</summary>
internal enum WebSocketOpcode
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

/// <summary>The head of one frame from a client.</summary>
internal readonly record struct FrameHead(bool Final, WebSocketOpcode Opcode, uint Mask, ulong Length, int Size)
{
    public bool IsControl => ((int)Opcode & 0x8) != 0;
}

/// <summary>RFC 6455 base framing, server side: reads masked heads, writes unmasked ones. Pure.</summary>
internal static class WebSocketFraming
{
    public const int ControlLimit = 125;
    public const int LargestServerHead = 10;

    private const byte ReservedBits = 0x70;

    /// <summary>Reads a frame head.</summary>
    /// <returns>False when more bytes are needed; <paramref name="violation"/> names what section 5 forbids.</returns>
    public static bool TryReadHead(ReadOnlySpan<byte> bytes, out FrameHead head, out string? violation)
    {
        head = default;
        violation = null;
        if (bytes.Length < 2) return false;
        var opcode = (WebSocketOpcode)(bytes[0] & 0x0F);
        var final = (bytes[0] & 0x80) != 0;
        violation = Violation(bytes[0], bytes[1], opcode, final);
        if (violation is not null) return true;

        var size = 2;
        ulong length = (uint)(bytes[1] & 0x7F);
        if (length == 126)
        {
            if (bytes.Length < 4) return false;
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            size = 4;
        }
        else if (length == 127)
        {
            if (bytes.Length < 10) return false;
            length = BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]);
            size = 10;
        }

        if (bytes.Length < size + 4) return false;
        var mask = BinaryPrimitives.ReadUInt32LittleEndian(bytes[size..]);
        head = new FrameHead(final, opcode, mask, length, size + 4);
        return true;
    }

    public static int WriteHead(Span<byte> target, WebSocketOpcode opcode, int length)
    {
        target[0] = (byte)(0x80 | (int)opcode);
        if (length <= ControlLimit)
        {
            target[1] = (byte)length;
            return 2;
        }

        if (length <= ushort.MaxValue)
        {
            target[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)length);
            return 4;
        }

        target[1] = 127;
        BinaryPrimitives.WriteUInt64BigEndian(target[2..], (ulong)length);
        return 10;
    }

    /// <summary>Applies the mask to the bytes from <paramref name="position"/> of the frame's payload on.</summary>
    public static void Unmask(Span<byte> bytes, uint mask, int position)
    {
        mask = uint.RotateRight(mask, 8 * (position & 3));
        var wide = ((ulong)mask << 32) | mask;
        while (bytes.Length >= sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ wide);
            bytes = bytes[sizeof(ulong)..];
        }

        for (var i = 0; i < bytes.Length; i++) bytes[i] ^= (byte)(mask >> (8 * (i & 3)));
    }

    private static string? Violation(byte first, byte second, WebSocketOpcode opcode, bool final)
    {
        if ((first & ReservedBits) != 0) return "reserved bits set";
        if (!Enum.IsDefined(opcode)) return "unknown opcode";
        if ((second & 0x80) == 0) return "client frame is not masked";
        var control = ((int)opcode & 0x8) != 0;
        if (control && !final) return "fragmented control frame";
        if (control && (second & 0x7F) > ControlLimit) return "control frame too long";
        return null;
    }
}
