namespace Piccolo.Core.Http;

/// <summary>What can be said of bytes that should be an answer's head.</summary>
public enum HeadVerdict
{
    /// <summary>So far it may be one.</summary>
    NeedMore,

    Head,

    Malformed,

    /// <summary>Longer than <see cref="ResponseHeadParser.MaxHeadBytes"/>, or of more fields than <see cref="ResponseHeadParser.MaxFields"/>.</summary>
    TooLarge,
}

/// <summary>
/// Reads the head of an HTTP/1 answer (RFC 9112, 4 and 5): pure, without copies. Stricter than it must be where leniency has been used against proxies: no
/// folded lines, no carriage return alone, no control characters, one length. A line may end without its carriage return.
/// </summary>
public static class ResponseHeadParser
{
    /// <summary>Bytes of a head, the empty line included.</summary>
    public const int MaxHeadBytes = 64 * 1024;

    public const int MaxFields = 1024;

    private static ReadOnlySpan<byte> Protocol => "HTTP/1."u8;

    /// <param name="head">Filled when the verdict is a head; of no meaning otherwise.</param>
    public static HeadVerdict Parse(ReadOnlySpan<byte> bytes, ResponseHead head)
    {
        head.Clear();
        // What cannot become a head is told before its end has come.
        var known = Math.Min(bytes.Length, Protocol.Length);
        if (!bytes[..known].SequenceEqual(Protocol[..known])) return HeadVerdict.Malformed;
        var length = LengthOf(bytes[..Math.Min(bytes.Length, MaxHeadBytes)]);
        if (length == 0) return bytes.Length < MaxHeadBytes ? HeadVerdict.NeedMore : HeadVerdict.TooLarge;
        head.Length = length;

        var position = 0;
        if (!ReadStatusLine(bytes, NextLine(bytes, ref position), head)) return HeadVerdict.Malformed;
        return ReadFields(bytes[..length], position, head);
    }

    /// <summary>Reads the fields that follow chunked content (RFC 9112, 7.1.2).</summary>
    /// <param name="bytes">Whole lines, the empty one included or not.</param>
    public static HeadVerdict ParseTrailers(ReadOnlySpan<byte> bytes, ResponseHead head)
    {
        head.Clear();
        head.Length = bytes.Length;
        return ReadFields(bytes, 0, head);
    }

    /// <returns>Up to and with the first empty line; 0 when there is none.</returns>
    private static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        for (var position = 0; ;)
        {
            var end = bytes[position..].IndexOf((byte)'\n');
            if (end < 0) return 0;
            position += end + 1;
            if (position < bytes.Length && bytes[position] == '\n') return position + 1;
            if (position + 1 < bytes.Length && bytes[position] == '\r' && bytes[position + 1] == '\n') return position + 2;
        }
    }

    /// <returns>Where the line lies, without its end.</returns>
    private static Range NextLine(ReadOnlySpan<byte> bytes, ref int position)
    {
        var start = position;
        var length = bytes[start..].IndexOf((byte)'\n');
        if (length < 0) length = bytes.Length - start;
        position = Math.Min(start + length + 1, bytes.Length);
        return start..(length > 0 && bytes[start + length - 1] == '\r' ? start + length - 1 : start + length);
    }

    private static bool ReadStatusLine(ReadOnlySpan<byte> bytes, Range range, ResponseHead head)
    {
        var line = bytes[range];
        // HTTP/1.1 SP 3DIGIT, then nothing or SP reason.
        var digits = Protocol.Length;
        if (line.Length < digits + 5 || !char.IsAsciiDigit((char)line[digits]) || line[digits + 1] != ' ') return false;
        head.MinorVersion = line[digits] == '0' ? 0 : 1;
        var status = 0;
        foreach (var digit in line.Slice(digits + 2, 3))
        {
            if (!char.IsAsciiDigit((char)digit)) return false;
            status = status * 10 + digit - '0';
        }
        if (status < 100) return false;
        head.Status = status;
        var rest = digits + 5;
        if (line.Length == rest) return true;
        if (line[rest] != ' ' || !FieldText.IsValue(line[rest..])) return false;
        head.Reason = new FieldRange(0, 0, range.Start.Value + rest + 1, line.Length - rest - 1);
        return true;
    }

    private static HeadVerdict ReadFields(ReadOnlySpan<byte> bytes, int position, ResponseHead head)
    {
        while (position < bytes.Length)
        {
            var range = NextLine(bytes, ref position);
            var line = bytes[range];
            if (line.IsEmpty) break;
            if (head.Fields.Length == MaxFields) return HeadVerdict.TooLarge;
            var colon = line.IndexOf((byte)':');
            if (colon <= 0) return HeadVerdict.Malformed;
            // White space before the colon is taken off a response's field (RFC 9112, 5.1). A folded line begins with some, which no name does.
            var name = line[..colon].TrimEnd(" \t"u8);
            if (!FieldText.IsName(name) || !FieldText.IsValue(line[(colon + 1)..])) return HeadVerdict.Malformed;
            var value = FieldText.Trim(line[(colon + 1)..]);
            var leading = line.Length - colon - 1 - line[(colon + 1)..].TrimStart(" \t"u8).Length;
            var start = range.Start.Value;
            head.Add(new FieldRange(start, name.Length, start + colon + 1 + (value.IsEmpty ? 0 : leading), value.Length));
            if (!Note(name, value, head)) return HeadVerdict.Malformed;
        }
        return HeadVerdict.Head;
    }

    /// <summary>What decides where the content ends.</summary>
    private static bool Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ResponseHead head)
    {
        switch (name.Length)
        {
            case 10 when FieldText.Is(name, "Connection"u8):
                head.NoteConnection(value);
                return true;
            case 14 when FieldText.Is(name, "Content-Length"u8):
                return NoteLength(value, head);
            case 17 when FieldText.Is(name, "Transfer-Encoding"u8):
                head.NoteTransferEncoding(value);
                return true;
            default:
                return true;
        }
    }

    /// <summary>The same length several times is one length (RFC 9110, 8.6).</summary>
    private static bool NoteLength(ReadOnlySpan<byte> value, ResponseHead head)
    {
        if (value.IsEmpty) return false;
        while (FieldText.NextOf(ref value, out var member))
        {
            long length = 0;
            foreach (var digit in member)
            {
                if (!char.IsAsciiDigit((char)digit) || length > (long.MaxValue - 9) / 10) return false;
                length = length * 10 + digit - '0';
            }
            if (head.ContentLength is { } earlier && earlier != length) return false;
            head.ContentLength = length;
        }
        return head.ContentLength is not null;
    }
}
