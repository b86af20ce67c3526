namespace Piccolo.Core.Http;

/// <summary>How far content has been read.</summary>
public enum ContentVerdict
{
    NeedMore,

    /// <summary>All of it is there; what follows does not belong to it.</summary>
    Complete,

    Malformed,
}

/// <summary>
/// Reads chunked content (RFC 9112, 7.1) piece by piece, in place: what is content moves to the front. Lines of chunks end with both of their characters, for
/// readers that saw an end where others did not have been used to smuggle messages. Not thread-safe.
/// </summary>
public sealed class ChunkedDecoder
{
    /// <summary>Bytes of a chunk's size with its extensions, which are skipped.</summary>
    public const int MaxLineBytes = 4096;

    /// <summary>Bytes of all trailer fields.</summary>
    public const int MaxTrailerBytes = 16 * 1024;

    private State _state;
    private long _left;
    private int _digits;
    private int _line;
    private byte[] _trailers = [];
    private int _trailersLength;

    private enum State
    {
        FirstDigit, Digits, Extensions, SizeEnd,
        Content, ContentEnd, ContentEndLine,
        TrailerStart, TrailerLine, TrailersEnd,
        Complete, Malformed,
    }

    /// <summary>The lines after the last chunk, when the content is complete.</summary>
    public ReadOnlySpan<byte> Trailers => _trailers.AsSpan(0, _trailersLength);

    /// <summary>Forgets what was read.</summary>
    public void Reset()
    {
        (_state, _left, _digits, _line, _trailers, _trailersLength) = (State.FirstDigit, 0, 0, 0, [], 0);
    }

    /// <param name="content">How many bytes of content are now at the front of <paramref name="bytes"/>.</param>
    /// <param name="taken">How many of the bytes belong to this content, its framing included.</param>
    public ContentVerdict Take(Span<byte> bytes, out int content, out int taken)
    {
        (content, taken) = (0, 0);
        while (taken < bytes.Length && _state < State.Complete)
        {
            if (_state == State.Content)
            {
                var length = (int)Math.Min(_left, bytes.Length - taken);
                if (content != taken) bytes.Slice(taken, length).CopyTo(bytes[content..]);
                content += length;
                taken += length;
                _left -= length;
                if (_left == 0) _state = State.ContentEnd;
            }
            else
            {
                _state = Next(bytes[taken++]);
            }
        }
        return _state switch { State.Complete => ContentVerdict.Complete, State.Malformed => ContentVerdict.Malformed, _ => ContentVerdict.NeedMore };
    }

    private State Next(byte b) => _state switch
    {
        State.FirstDigit => Begin(b),
        State.Digits => OnDigit(b),
        State.Extensions => b == '\r' ? State.SizeEnd : ++_line > MaxLineBytes || (b < 0x20 && b != '\t') ? State.Malformed : State.Extensions,
        State.SizeEnd => b != '\n' ? State.Malformed : _left > 0 ? State.Content : State.TrailerStart,
        State.ContentEnd => b == '\r' ? State.ContentEndLine : State.Malformed,
        State.ContentEndLine => b == '\n' ? State.FirstDigit : State.Malformed,
        State.TrailerStart => b switch { (byte)'\r' => State.TrailersEnd, (byte)'\n' => State.Malformed, _ => Keep(b, State.TrailerLine) },
        State.TrailerLine => Keep(b, b == '\n' ? State.TrailerStart : State.TrailerLine),
        State.TrailersEnd => b == '\n' ? State.Complete : State.Malformed,
        _ => State.Malformed,
    };

    private State Begin(byte b)
    {
        (_left, _digits, _line) = (0, 0, 0);
        return char.IsAsciiHexDigit((char)b) ? OnDigit(b) : State.Malformed;
    }

    private State OnDigit(byte b)
    {
        if (char.IsAsciiHexDigit((char)b))
        {
            // Up to 2^60. Zeros in front count, too: there is no honest reason to have many.
            if (++_digits > 15) return State.Malformed;
            _left = (_left << 4) + ((b & 0x40) != 0 ? (b & 0xf) + 9 : b & 0xf);
            return State.Digits;
        }
        return b switch
        {
            (byte)'\r' => State.SizeEnd,
            // Some write spaces after the size.
            (byte)';' or (byte)' ' or (byte)'\t' => State.Extensions,
            _ => State.Malformed,
        };
    }

    private State Keep(byte b, State next)
    {
        if (_trailersLength == MaxTrailerBytes) return State.Malformed;
        if (_trailersLength == _trailers.Length) Grow();
        _trailers[_trailersLength++] = b;
        return next;
    }

    private void Grow()
    {
        var larger = new byte[Math.Min(Math.Max(256, _trailers.Length * 2), MaxTrailerBytes)];
        _trailers.CopyTo(larger, 0);
        _trailers = larger;
    }
}
