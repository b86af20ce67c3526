using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// Reads the relay's word for a user's address. What cannot be the address of an Internet user is no address at all, so that nobody downstream mistakes it
/// for a neighbour.
/// </summary>
internal static class ClientAddress
{
    /// <summary>Reads <c>address:port</c> or <c>[v6]:port</c>, nothing looser.</summary>
    public static IPEndPoint? Parse(string? text, bool allowPrivate)
    {
        if (text is null or { Length: > 64 }) return null;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryReadPort(text.AsSpan(colon + 1), out var port)) return null;
        var address = ReadAddress(text[..colon]);
        if (address is null || (!allowPrivate && !PublicAddress.Is(address))) return null;
        return new IPEndPoint(address, port);
    }

    private static bool TryReadPort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && text.Length <= 5 && port is > 0 and <= 65_535;

    private static IPAddress? ReadAddress(string text)
    {
        if (text.StartsWith('[') && text.EndsWith(']'))
        {
            var inner = text[1..^1];
            // A zone ("%eth0") names one of the relay's interfaces and means nothing here.
            if (inner.Contains('%', StringComparison.Ordinal) || !IPAddress.TryParse(inner, out var v6) || v6.AddressFamily != AddressFamily.InterNetworkV6)
                return null;
            return v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6;
        }
        // IPAddress also reads "1", "0x7f.1" and octal: only the text it would write itself is taken.
        return IPAddress.TryParse(text, out var v4) && v4.AddressFamily == AddressFamily.InterNetwork && v4.ToString() == text ? v4 : null;
    }
}
