using System.Buffers;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Piccolo.Api.Ingress.Apps;

/// <summary>What became of a head that was to be written.</summary>
internal enum WriteVerdict
{
    Written,

    /// <summary>It does not fit; a larger buffer is worth a try.</summary>
    TooSmall,

    /// <summary>It holds what would end a line.</summary>
    Refused,
}

/// <summary>Writes the head of a request as an app gets it (RFC 9112, 3 and 5). Pure.</summary>
internal static class RequestHeadWriter
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n\0"u8);

    /// <param name="target">As the client wrote it, of <see cref="ForwardingRules.IsPlainTarget"/>.</param>
    public static WriteVerdict Write(
        Span<byte> buffer, string method, string target, bool isHttp2, IHeaderDictionary headers, ForwardedFields forwarded, out int written)
    {
        written = 0;
        var head = new Head(buffer);
        if (!ForwardingRules.IsPlainTarget(target)) return WriteVerdict.Refused;
        head.Text(method);
        head.Bytes(" "u8);
        head.Text(target);
        head.Bytes(" HTTP/1.1\r\n"u8);
        head.Field(HeaderNames.Host, forwarded.Host ?? "");
        var nominated = ForwardingRules.NominatedBy(headers.Connection);
        foreach (var (name, values) in headers)
        {
            var kept = ForwardingRules.ToApp(name, values, nominated, isHttp2);
            // There is no content, and nothing may say that there is.
            if (kept.Count == 0 || (name.Length == 14 && name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase))) continue;
            if (kept.Count == 1) head.Field(name, kept[0]);
            else foreach (var value in kept) head.Field(name, value);
        }
        head.Bytes(forwarded.Lines);
        head.Bytes("\r\n"u8);
        written = head.Written;
        return head.Verdict;
    }

    /// <summary>The room, how much of it is used, and whether all is well.</summary>
    private ref struct Head(Span<byte> buffer)
    {
        private readonly Span<byte> _buffer = buffer;

        public int Written { get; private set; }

        public WriteVerdict Verdict { get; private set; }

        public void Field(string name, string? value)
        {
            Line(name);
            Bytes(": "u8);
            if (value is not null) Line(value);
            Bytes("\r\n"u8);
        }

        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            if (!HasRoom(bytes.Length)) return;
            bytes.CopyTo(_buffer[Written..]);
            Written += bytes.Length;
        }

        /// <summary>Byte for byte as it came: what is not ASCII was read as Latin-1.</summary>
        public void Text(string text)
        {
            if (!HasRoom(text.Length)) return;
            Encoding.Latin1.GetBytes(text, _buffer[Written..]);
            Written += text.Length;
        }

        private void Line(string text)
        {
            var start = Written;
            Text(text);
            // The server has checked this already; a head that says more than it should would be the worst that can leave here.
            if (_buffer[start..Written].ContainsAny(LineEnds)) Verdict = WriteVerdict.Refused;
        }

        private bool HasRoom(int length)
        {
            if (Verdict == WriteVerdict.Written && length <= _buffer.Length - Written) return true;
            if (Verdict == WriteVerdict.Written) Verdict = WriteVerdict.TooSmall;
            return false;
        }
    }
}
