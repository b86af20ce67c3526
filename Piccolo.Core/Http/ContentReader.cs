namespace Piccolo.Core.Http;

/// <summary>Finds the end of one answer's content after the other, whatever its framing. Bytes are looked at in place. Not thread-safe.</summary>
public sealed class ContentReader
{
    private readonly ChunkedDecoder _chunks = new();
    private ContentFraming _framing;
    private long _left;

    /// <summary>The trailer fields' lines, once chunked content is complete.</summary>
    public ReadOnlySpan<byte> Trailers => _framing == ContentFraming.Chunked ? _chunks.Trailers : default;

    /// <summary>Whether the peer's end is the content's end.</summary>
    public bool EndsWithConnection => _framing == ContentFraming.UntilEnd;

    /// <param name="length">For <see cref="ContentFraming.Length"/>.</param>
    /// <returns>Whether nothing is to come.</returns>
    public bool Begin(ContentFraming framing, long length)
    {
        (_framing, _left) = (framing, length);
        if (framing == ContentFraming.Chunked) _chunks.Reset();
        return framing == ContentFraming.None || (framing == ContentFraming.Length && length == 0);
    }

    /// <summary>Forgets what it kept.</summary>
    public void Reset()
    {
        if (_framing == ContentFraming.Chunked) _chunks.Reset();
        _framing = ContentFraming.None;
    }

    /// <inheritdoc cref="ChunkedDecoder.Take"/>
    public ContentVerdict Take(Span<byte> bytes, out int content, out int taken)
    {
        switch (_framing)
        {
            case ContentFraming.Chunked:
                return _chunks.Take(bytes, out content, out taken);
            case ContentFraming.Length:
                content = taken = (int)Math.Min(_left, bytes.Length);
                _left -= content;
                return _left == 0 ? ContentVerdict.Complete : ContentVerdict.NeedMore;
            case ContentFraming.UntilEnd:
                content = taken = bytes.Length;
                return ContentVerdict.NeedMore;
            default:
                (content, taken) = (0, 0);
                return ContentVerdict.Complete;
        }
    }
}
