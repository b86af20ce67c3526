using System.Buffers;
using System.Buffers.Binary;

namespace Piccolo.Core.Tls;

/// <summary>
/// Reads the ClientHello at the start of a connection (RFC 8446, 4.1.2 and 5.1), wherever TLS records and TCP segments cut it. Pure: the caller keeps the
/// bytes and asks again with more. Nothing is answered and nothing consumed, so the same bytes can go to an app afterwards.
/// </summary>
public static class ClientHelloParser
{
    /// <summary>The most bytes that are looked at, record headers included; nginx and HAProxy read as many. Post-quantum key shares take a few KiB.</summary>
    public const int MaxInputLength = 16 * 1024;

    /// <summary>The longest hello that fits, in one record.</summary>
    public const int MaxHelloLength = MaxInputLength - RecordHeaderLength;

    private const int RecordHeaderLength = 5;
    private const int HandshakeHeaderLength = 4;
    private const int MaxRecordLength = 1 << 14;
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;

    public static ClientHello Parse(ReadOnlyMemory<byte> input) => Parse(new ReadOnlySequence<byte>(input));

    /// <param name="input">All that the client has sent so far.</param>
    public static ClientHello Parse(in ReadOnlySequence<byte> input)
    {
        if (input.IsEmpty) return ClientHello.NeedMore(1);
        var rented = ArrayPool<byte>.Shared.Rent((int)Math.Min(input.Length, MaxInputLength));
        try
        {
            return Parse(input, rented);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Walks the records, gathers their payloads in <paramref name="message"/> and reads the hello once it is whole.</summary>
    private static ClientHello Parse(in ReadOnlySequence<byte> input, Span<byte> message)
    {
        var reader = new SequenceReader<byte>(input);
        Span<byte> header = stackalloc byte[RecordHeaderLength];
        var gathered = 0;
        var wanted = HandshakeHeaderLength;
        while (true)
        {
            var start = (int)reader.Consumed;
            if (start > MaxInputLength) return ClientHello.Of(ClientHelloVerdict.TooLarge);
            var seen = (int)Math.Min(reader.Remaining, RecordHeaderLength);
            _ = reader.TryCopyTo(header[..seen]);
            if (CheckRecordHeader(header[..seen], first: start == 0) is { } wrong) return ClientHello.Of(wrong);
            if (seen < RecordHeaderLength) return NeedMore(start + RecordHeaderLength + wanted - gathered);

            reader.Advance(RecordHeaderLength);
            var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
            var available = (int)Math.Min(reader.Remaining, length);
            var room = Math.Min(available, message.Length - gathered);
            _ = reader.TryCopyTo(message.Slice(gathered, room));
            reader.Advance(available);
            gathered += room;

            if (gathered > 0 && message[0] != ClientHelloMessage) return ClientHello.Of(ClientHelloVerdict.Malformed);
            if (gathered >= HandshakeHeaderLength)
            {
                wanted = HandshakeHeaderLength + (message[1] << 16 | message[2] << 8 | message[3]);
                if (wanted > MaxHelloLength) return ClientHello.Of(ClientHelloVerdict.TooLarge);
                if (gathered >= wanted) return ClientHelloBody.Read(message[HandshakeHeaderLength..wanted]);
            }
            if (available < length) return NeedMore((int)reader.Consumed + wanted - gathered);
        }

        // The hint keeps the work linear: a client that sends single bytes in single-byte records is looked at a few dozen times, not 16,384 times.
        static ClientHello NeedMore(int length) =>
            length > MaxInputLength ? ClientHello.Of(ClientHelloVerdict.TooLarge) : ClientHello.NeedMore(length);
    }

    /// <summary>Judges as much of a record header as has arrived; null while nothing is wrong with it.</summary>
    private static ClientHelloVerdict? CheckRecordHeader(ReadOnlySpan<byte> header, bool first)
    {
        var stranger = first ? ClientHelloVerdict.NotTls : ClientHelloVerdict.Malformed;
        if (header.Length > 0 && header[0] != HandshakeRecord) return stranger;
        if (header.Length > 1 && header[1] != 3) return stranger;
        if (header.Length < RecordHeaderLength) return null;
        // Empty handshake records are forbidden (RFC 8446, 5.1), and a plaintext record holds at most 2^14 bytes.
        var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        return length is 0 or > MaxRecordLength ? ClientHelloVerdict.Malformed : null;
    }
}
