using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using static Piccolo.Core.ProxyProtocol.ProxyHeaderParser;

namespace Piccolo.Core.ProxyProtocol;

/// <summary>Makes the header of the PROXY protocol, version 2, for an app that asks for it.</summary>
public static class ProxyHeaderWriter
{
    /// <param name="source">The true client; null when nobody knows it, which the header then says (family UNSPEC).</param>
    /// <param name="destination">Where it connected; without one the unspecified address and the port 0 stand in its place.</param>
    public static byte[] Write(IPEndPoint? source, IPEndPoint? destination)
    {
        if (source is null) return Prefix(family: 0, transport: 0, addresses: 0);
        var isV4 = IsV4(source.Address) && (destination is null || IsV4(destination.Address));
        var size = isV4 ? 4 : 16;
        var header = Prefix(isV4 ? InetFamily : Inet6Family, StreamTransport, addresses: 2 * size + 4);
        var body = header.AsSpan(PrefixLength);
        Put(source.Address, body[..size]);
        Put(destination?.Address ?? (isV4 ? IPAddress.Any : IPAddress.IPv6Any), body.Slice(size, size));
        BinaryPrimitives.WriteUInt16BigEndian(body[(2 * size)..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(body[(2 * size + 2)..], (ushort)(destination?.Port ?? 0));
        return header;
    }

    private static byte[] Prefix(int family, int transport, int addresses)
    {
        var header = new byte[PrefixLength + addresses];
        Signature.CopyTo(header);
        header[12] = HeaderVersion << 4 | ProxyCommand;
        header[13] = (byte)(family << 4 | transport);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), (ushort)addresses);
        return header;
    }

    private static bool IsV4(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;

    private static void Put(IPAddress address, Span<byte> target) =>
        (target.Length == 4 ? address.MapToIPv4() : address.MapToIPv6()).TryWriteBytes(target, out _);
}
