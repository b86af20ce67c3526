using System.Globalization;
using System.Text;
using Microsoft.Net.Http.Headers;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>What became of a head that was to be written.</summary>
internal enum WriteVerdict
{
    Written,

    /// <summary>It does not fit; a larger buffer is worth a try.</summary>
    TooSmall,

    /// <summary>A method, name or value holds characters that it may not hold.</summary>
    Refused,
}

/// <summary>Writes the head of a request as an app gets it (RFC 9112, 3 and 5). Pure.</summary>
internal static class RequestHeadWriter
{
    public static WriteVerdict Write(
        Span<byte> buffer, ForwardPlan plan, bool isHttp2, IHeaderDictionary headers, ForwardedFields forwarded, out int written)
    {
        written = 0;
        var head = new Head(buffer);
        if (!ForwardingRules.IsToken(plan.Method)) return WriteVerdict.Refused;
        head.Text(plan.Method);
        head.Bytes(" "u8);
        head.Text(plan.Target);
        head.Bytes(" HTTP/1.1\r\n"u8);
        head.Field(HeaderNames.Host, forwarded.Host ?? "");
        var nominated = ForwardingRules.NominatedBy(headers.Connection);
        var hasTe = false;
        foreach (var (name, values) in headers)
        {
            // HTTP/2 lets through what would be another field, or several, in a head (RFC 9113, 8.2.1).
            if (!ForwardingRules.IsToken(name) && name is not [':', ..]) return WriteVerdict.Refused;
            var kept = ForwardingRules.ToApp(name, values, nominated, isHttp2);
            // How its content is framed is told below.
            if (kept.Count == 0 || (name.Length == 14 && name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase))) continue;
            hasTe |= name.Length == 2 && name.Equals(HeaderNames.TE, StringComparison.OrdinalIgnoreCase);
            if (kept.Count == 1) head.Field(name, kept[0]);
            else foreach (var value in kept) head.Field(name, value);
        }
        head.Bytes(forwarded.Lines);
        Frame(ref head, plan, hasTe);
        head.Bytes("\r\n"u8);
        written = head.Written;
        return head.Verdict;
    }

    private static void Frame(ref Head head, ForwardPlan plan, bool hasTe)
    {
        switch (plan.Framing)
        {
            case RequestFraming.Length:
                head.Bytes("Content-Length: "u8);
                head.Number(plan.Length);
                head.Bytes("\r\n"u8);
                break;
            case RequestFraming.Chunked:
                head.Bytes("Transfer-Encoding: chunked\r\n"u8);
                break;
            case RequestFraming.WebSocket:
                head.Bytes("Connection: Upgrade\r\nUpgrade: websocket\r\n"u8);
                if (plan.WebSocketKey is { } key) head.Field(HeaderNames.SecWebSocketKey, key);
                return;
        }
        // TE is for this connection only, and has to be named (RFC 9110, 10.1.4).
        if (hasTe) head.Bytes("Connection: TE\r\n"u8);
    }

    /// <summary>The room, how much of it is used, and whether all is well.</summary>
    private ref struct Head(Span<byte> buffer)
    {
        private readonly Span<byte> _buffer = buffer;

        public int Written { get; private set; }

        public WriteVerdict Verdict { get; private set; }

        public void Field(string name, string? value)
        {
            Text(name);
            Bytes(": "u8);
            if (value is not null) Value(value.AsSpan().Trim(" \t"));
            Bytes("\r\n"u8);
        }

        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            if (!HasRoom(bytes.Length)) return;
            bytes.CopyTo(_buffer[Written..]);
            Written += bytes.Length;
        }

        /// <summary>Byte for byte as it came: what is not ASCII was read as Latin-1.</summary>
        public void Text(ReadOnlySpan<char> text)
        {
            if (!HasRoom(text.Length)) return;
            Encoding.Latin1.GetBytes(text, _buffer[Written..]);
            Written += text.Length;
        }

        public void Number(long number)
        {
            if (Verdict != WriteVerdict.Written) return;
            if (number.TryFormat(_buffer[Written..], out var digits, provider: CultureInfo.InvariantCulture)) Written += digits;
            else Verdict = WriteVerdict.TooSmall;
        }

        private void Value(ReadOnlySpan<char> text)
        {
            var start = Written;
            Text(text);
            // Readers disagree on what a control character means there (RFC 9110, 5.5).
            if (!FieldText.IsValue(_buffer[start..Written])) Verdict = WriteVerdict.Refused;
        }

        private bool HasRoom(int length)
        {
            if (Verdict == WriteVerdict.Written && length <= _buffer.Length - Written) return true;
            if (Verdict == WriteVerdict.Written) Verdict = WriteVerdict.TooSmall;
            return false;
        }
    }
}
