using System.Net;
using System.Text;

namespace Piccolo.Core.Tls;

/// <summary>What may stand as host_name in a ClientHello (RFC 6066, 3), in the form in which the route table is asked.</summary>
internal static class ServerNameText
{
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    /// <summary>An address is no host_name (RFC 6066, 3), but there are clients that send one.</summary>
    public static bool IsAddress(ReadOnlySpan<byte> name) => name.Length is > 0 and <= MaxLength && IPAddress.TryParse(Encoding.Latin1.GetString(name), out _);

    public static bool TryNormalise(ReadOnlySpan<byte> name, out string? normal)
    {
        normal = null;
        if (name.Length > 0 && name[^1] == '.') name = name[..^1];
        if (name.Length is 0 or > MaxLength) return false;
        var label = 0;
        foreach (var octet in name)
        {
            if (octet == '.')
            {
                if (label == 0) return false;
                label = 0;
                continue;
            }
            // The underscore is no host name character, but DNS has it and clients send it.
            if (!char.IsAsciiLetterOrDigit((char)octet) && octet is not ((byte)'-' or (byte)'_')) return false;
            if (++label > MaxLabelLength) return false;
        }
        if (label == 0) return false;
        var text = Encoding.ASCII.GetString(name).ToLowerInvariant();
        normal = text;
        return true;
    }
}
