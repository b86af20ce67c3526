using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Numerics;

namespace Piccolo.Core.ProxyProtocol;

/// <summary>
/// Reads the header of the PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt, 2.2), at the start of a connection. Pure: the caller keeps the bytes
/// and asks again with more. Version 1, a line of text, is not read.
/// </summary>
public static class ProxyHeaderParser
{
    /// <summary>The longest header that is read. Addresses take 36 bytes; the rest is room for the proxy's TLVs, certificates' names among them.</summary>
    public const int MaxHeaderBytes = 4096;

    internal const int PrefixLength = 16;
    internal const int HeaderVersion = 2;
    internal const int LocalCommand = 0;
    internal const int ProxyCommand = 1;
    internal const int InetFamily = 1;
    internal const int Inet6Family = 2;
    internal const int UnixFamily = 3;
    internal const int StreamTransport = 1;

    private const int DatagramTransport = 2;
    private const int UnixAddressesLength = 216;
    private const int TlvHeaderLength = 3;
    private const byte Crc32CTlv = 3;

    /// <summary>The 12 bytes with which every header begins. No HTTP or TLS begins so.</summary>
    public static ReadOnlySpan<byte> Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    public static ProxyHeader Parse(ReadOnlyMemory<byte> input) => Parse(new ReadOnlySequence<byte>(input));

    /// <param name="input">All that the peer has sent so far.</param>
    public static ProxyHeader Parse(in ReadOnlySequence<byte> input)
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        var seen = (int)Math.Min(input.Length, PrefixLength);
        input.Slice(0, seen).CopyTo(prefix);
        var signed = Math.Min(seen, Signature.Length);
        if (!prefix[..signed].SequenceEqual(Signature[..signed])) return ProxyHeader.Of(ProxyHeaderVerdict.NotProxy);
        if (seen < PrefixLength) return ProxyHeader.NeedMore(PrefixLength);

        var length = PrefixLength + BinaryPrimitives.ReadUInt16BigEndian(prefix[14..]);
        if (length > MaxHeaderBytes) return ProxyHeader.Of(ProxyHeaderVerdict.TooLarge);
        if (input.Length < length) return ProxyHeader.NeedMore(length);
        Span<byte> header = stackalloc byte[length];
        input.Slice(0, length).CopyTo(header);
        return Read(header);
    }

    private static ProxyHeader Read(Span<byte> header)
    {
        var (version, command) = (header[12] >> 4, header[12] & 0xF);
        var (family, transport) = (header[13] >> 4, header[13] & 0xF);
        if (version != HeaderVersion || command > ProxyCommand) return Malformed;
        // Whatever else a LOCAL header says is to be ignored.
        if (command == LocalCommand) return new ProxyHeader(ProxyHeaderVerdict.Header, null, null, true, header.Length);
        if (family > UnixFamily || transport > DatagramTransport) return Malformed;

        var body = header[PrefixLength..];
        var addresses = family switch { InetFamily => 12, Inet6Family => 36, UnixFamily => UnixAddressesLength, _ => 0 };
        if (body.Length < addresses) return Malformed;
        // The length of an unknown family's addresses is unknown too, and with it where TLVs begin.
        if (family != 0 && !AreTlvsWellFormed(header, PrefixLength + addresses)) return Malformed;
        if (transport != StreamTransport || family is not (InetFamily or Inet6Family))
            return new ProxyHeader(ProxyHeaderVerdict.Header, null, null, false, header.Length);

        var size = family == InetFamily ? 4 : 16;
        return new ProxyHeader(
            ProxyHeaderVerdict.Header, EndPoint(body[..size], body[(2 * size)..]), EndPoint(body.Slice(size, size), body[(2 * size + 2)..]), false,
            header.Length);
    }

    private static ProxyHeader Malformed => ProxyHeader.Of(ProxyHeaderVerdict.Malformed);

    private static IPEndPoint EndPoint(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port)
    {
        var ip = new IPAddress(address);
        return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, BinaryPrimitives.ReadUInt16BigEndian(port));
    }

    /// <summary>The TLVs fill the header exactly, and a checksum among them is right (2.2.3). What else they say nobody here needs.</summary>
    private static bool AreTlvsWellFormed(Span<byte> header, int start)
    {
        var checksumAt = -1;
        for (var at = start; at < header.Length;)
        {
            if (header.Length - at < TlvHeaderLength) return false;
            var length = BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]);
            var next = at + TlvHeaderLength + length;
            if (next > header.Length) return false;
            if (header[at] == Crc32CTlv)
            {
                if (length != sizeof(uint) || checksumAt >= 0) return false;
                checksumAt = at + TlvHeaderLength;
            }
            at = next;
        }
        return checksumAt < 0 || IsChecksumValid(header, checksumAt);
    }

    /// <summary>CRC32C over the whole header with the checksum's own bytes as zero. Our copy of the header is changed by it.</summary>
    private static bool IsChecksumValid(Span<byte> header, int at)
    {
        var said = BinaryPrimitives.ReadUInt32BigEndian(header[at..]);
        header.Slice(at, sizeof(uint)).Clear();
        var crc = uint.MaxValue;
        foreach (var octet in header) crc = BitOperations.Crc32C(crc, octet);
        return ~crc == said;
    }
}
