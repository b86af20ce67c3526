using System.Collections.Immutable;
using System.Text;

namespace Piccolo.Core.Tls;

/// <summary>Reads the fields of a whole ClientHello message (RFC 8446, 4.1.2): only the server name and the ALPN list are kept, the rest is measured.</summary>
internal static class ClientHelloBody
{
    /// <summary>How many offered protocols are kept; a longer list is valid, but nobody needs its end.</summary>
    public const int MaxAlpnProtocols = 64;

    private const int VersionAndRandomLength = 2 + 32;
    private const int MaxSessionIdLength = 32;
    private const ushort ServerNameExtension = 0;
    private const ushort AlpnExtension = 16;

    private static readonly ClientHello Malformed = ClientHello.Of(ClientHelloVerdict.Malformed);

    public static ClientHello Read(ReadOnlySpan<byte> body)
    {
        var reader = new TlsSpanReader(body);
        if (!reader.TrySkip(VersionAndRandomLength)) return Malformed;
        if (!reader.TryReadVector8(out var sessionId) || sessionId.Length > MaxSessionIdLength) return Malformed;
        if (!reader.TryReadVector16(out var suites) || suites.Length < 2 || suites.Length % 2 != 0) return Malformed;
        if (!reader.TryReadVector8(out var compressions) || compressions.IsEmpty) return Malformed;
        // A TLS 1.2 hello may end here, without extensions.
        if (reader.IsEmpty) return new ClientHello(ClientHelloVerdict.Hello, null, [], 0);
        if (!reader.TryReadVector16(out var extensions) || !reader.IsEmpty) return Malformed;
        return ReadExtensions(new TlsSpanReader(extensions));
    }

    private static ClientHello ReadExtensions(TlsSpanReader reader)
    {
        string? serverName = null;
        var isNamed = false;
        ImmutableArray<string>? alpn = null;
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadUInt16(out var type) || !reader.TryReadVector16(out var data)) return Malformed;
            if (type == ServerNameExtension)
            {
                // The same extension twice is forbidden (RFC 8446, 4.2); were it let through, the app could read the other one.
                if (isNamed || !TryReadServerName(data, out serverName)) return Malformed;
                isNamed = true;
            }
            else if (type == AlpnExtension)
            {
                if (alpn is not null || !TryReadAlpn(data, out var protocols)) return Malformed;
                alpn = protocols;
            }
        }
        return new ClientHello(ClientHelloVerdict.Hello, serverName, alpn ?? [], 0);
    }

    /// <summary>RFC 6066, 3: one host_name; entries of other types have the same shape and are passed over. An address is as none.</summary>
    private static bool TryReadServerName(ReadOnlySpan<byte> data, out string? serverName)
    {
        serverName = null;
        var outer = new TlsSpanReader(data);
        if (!outer.TryReadVector16(out var list) || !outer.IsEmpty || list.IsEmpty) return false;
        var entries = new TlsSpanReader(list);
        var isNamed = false;
        while (!entries.IsEmpty)
        {
            if (!entries.TryReadByte(out var type) || !entries.TryReadVector16(out var name)) return false;
            if (type != 0) continue;
            if (isNamed || (!ServerNameText.IsAddress(name) && !ServerNameText.TryNormalise(name, out serverName))) return false;
            isNamed = true;
        }
        return isNamed;
    }

    /// <summary>RFC 7301, 3.1.</summary>
    private static bool TryReadAlpn(ReadOnlySpan<byte> data, out ImmutableArray<string> protocols)
    {
        protocols = [];
        var outer = new TlsSpanReader(data);
        if (!outer.TryReadVector16(out var list) || !outer.IsEmpty || list.IsEmpty) return false;
        var found = ImmutableArray.CreateBuilder<string>();
        var entries = new TlsSpanReader(list);
        while (!entries.IsEmpty)
        {
            if (!entries.TryReadVector8(out var protocol) || protocol.IsEmpty) return false;
            if (found.Count < MaxAlpnProtocols) found.Add(Encoding.Latin1.GetString(protocol));
        }
        protocols = found.ToImmutable();
        return true;
    }
}
