using System.Buffers;
using System.Text;
using Piccolo.DevRelay.Routing;

namespace Piccolo.DevRelay.Entry;

/// <summary>What a user's first bytes are, as far as HTTP/1 goes.</summary>
internal enum HeadState
{
    NeedMore,
    NotHttp,
    NoHost,
    Complete,
}

/// <summary>Finds the host of an HTTP/1 request: the authority of an absolute-form target before the Host field (RFC 9112, 3.2.2). Pure.</summary>
internal static class HttpHead
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    public static HeadState Parse(ReadOnlySpan<byte> bytes, out string host)
    {
        host = "";
        if (!TryTakeLine(ref bytes, out var request)) return HeadState.NeedMore;
        if (!TryReadTarget(request, out var authority)) return HeadState.NotHttp;
        string? field = null;
        var first = true;
        while (true)
        {
            if (!TryTakeLine(ref bytes, out var line)) return HeadState.NeedMore;
            if (line.Length == 0) break;
            if (line[0] is ' ' or '\t')
            {
                if (first) return HeadState.NotHttp;
                continue;
            }

            first = false;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !IsToken(line.AsSpan(0, colon))) return HeadState.NotHttp;
            if (line.AsSpan(0, colon).Equals("Host", StringComparison.OrdinalIgnoreCase)) field ??= line[(colon + 1)..];
        }

        host = Hostnames.FromAuthority(authority.Length > 0 ? authority : field ?? "");
        return host.Length > 0 ? HeadState.Complete : HeadState.NoHost;
    }

    private static bool TryReadTarget(string line, out string authority)
    {
        authority = "";
        var parts = line.Split(' ', 3);
        if (parts.Length != 3 || !IsToken(parts[0]) || !IsVersion(parts[2])) return false;
        var target = parts[1];
        if (target.Length == 0 || target.Any(c => c is < ' ' or '\x7f')) return false;
        if (target[0] == '/' || target == "*") return true;
        var scheme = target.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 && parts[0] != "CONNECT") return false;
        var rest = scheme < 0 ? target : target[(scheme + 3)..];
        var end = rest.AsSpan().IndexOfAny("/?#");
        authority = end < 0 ? rest : rest[..end];
        authority = authority[(authority.LastIndexOf('@') + 1)..];
        return true;
    }

    private static bool IsVersion(string text) =>
        text.Length == 8 && text.StartsWith("HTTP/", StringComparison.Ordinal) && char.IsAsciiDigit(text[5]) && text[6] == '.' && char.IsAsciiDigit(text[7]);

    private static bool IsToken(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExcept(TokenCharacters);

    private static bool TryTakeLine(ref ReadOnlySpan<byte> bytes, out string line)
    {
        line = "";
        var end = bytes.IndexOf((byte)'\n');
        if (end < 0) return false;
        var content = bytes[..end];
        if (content.EndsWith((byte)'\r')) content = content[..^1];
        line = Encoding.Latin1.GetString(content);
        bytes = bytes[(end + 1)..];
        return true;
    }
}
