namespace Piccolo.Core.Http;

/// <summary>Where one field of a head lies among its bytes.</summary>
public readonly record struct FieldRange(int NameStart, int NameLength, int ValueStart, int ValueLength)
{
    public ReadOnlySpan<byte> Name(ReadOnlySpan<byte> bytes) => bytes.Slice(NameStart, NameLength);

    /// <summary>Without white space around it.</summary>
    public ReadOnlySpan<byte> Value(ReadOnlySpan<byte> bytes) => bytes.Slice(ValueStart, ValueLength);
}

/// <summary>How the end of a message's content is found (RFC 9112, 6.3).</summary>
public enum ContentFraming
{
    /// <summary>There is no content.</summary>
    None,

    /// <summary>By <see cref="ResponseHead.ContentLength"/>.</summary>
    Length,

    Chunked,

    /// <summary>It ends with the connection.</summary>
    UntilEnd,

    /// <summary>A transfer coding that we do not know: nothing can be said of the content.</summary>
    Unknown,
}

/// <summary>What <see cref="ResponseHeadParser"/> found. Holds no text, only where it lies; used again for one head after the other. Not thread-safe.</summary>
public sealed class ResponseHead
{
    private FieldRange[] _fields = new FieldRange[32];
    private int _count;
    private int _codings;
    private bool _isChunked;

    /// <value>100 to 999: the last three hundred have no meaning (RFC 9110, 15), and are passed on.</value>
    public int Status { get; internal set; }

    /// <value>Of HTTP/1: 0, or 1 for all that came later.</value>
    public int MinorVersion { get; internal set; }

    /// <summary>Where the reason phrase lies; its name is empty.</summary>
    public FieldRange Reason { get; internal set; }

    /// <summary>Bytes of the whole head, the empty line included.</summary>
    public int Length { get; internal set; }

    /// <summary>As declared; null when it was not.</summary>
    public long? ContentLength { get; internal set; }

    public ReadOnlySpan<FieldRange> Fields => _fields.AsSpan(0, _count);

    /// <summary>Whether Connection names fields that are for this connection only.</summary>
    public bool HasNominated { get; private set; }

    /// <summary>Whether the peer says that it closes the connection after this message.</summary>
    public bool SaysClose { get; private set; }

    private bool SaysKeepAlive { get; set; }

    private bool HasTransferEncoding => _codings > 0;

    /// <param name="toHead">Whether the request was a HEAD.</param>
    public ContentFraming FramingOf(bool toHead)
    {
        if (toHead || Status is < 200 or 204 or 304) return ContentFraming.None;
        if (HasTransferEncoding) return _isChunked && _codings == 1 ? ContentFraming.Chunked : ContentFraming.Unknown;
        return ContentLength is null ? ContentFraming.UntilEnd : ContentFraming.Length;
    }

    /// <summary>Whether another request may follow on the connection once the content has been read.</summary>
    public bool MayFollow(ContentFraming framing)
    {
        if (framing is ContentFraming.UntilEnd or ContentFraming.Unknown || SaysClose) return false;
        // Who declares both, or a coding to HTTP/1.0, may count otherwise than we do (RFC 9112, 6.1 and 6.3).
        if (HasTransferEncoding && (ContentLength is not null || MinorVersion == 0)) return false;
        return MinorVersion > 0 || SaysKeepAlive;
    }

    internal void Clear()
    {
        (_count, _codings, _isChunked) = (0, 0, false);
        (Status, MinorVersion, Reason, Length, ContentLength) = (0, 0, default, 0, null);
        (HasNominated, SaysClose, SaysKeepAlive) = (false, false, false);
    }

    internal void Add(FieldRange field)
    {
        if (_count == _fields.Length) Array.Resize(ref _fields, _count * 2);
        _fields[_count++] = field;
    }

    internal void NoteConnection(ReadOnlySpan<byte> options)
    {
        while (FieldText.NextOf(ref options, out var option))
        {
            if (FieldText.Is(option, "close"u8)) SaysClose = true;
            else if (FieldText.Is(option, "keep-alive"u8)) SaysKeepAlive = true;
            else HasNominated = true;
        }
    }

    internal void NoteTransferEncoding(ReadOnlySpan<byte> codings)
    {
        // An empty field is one, too: of a coding that nobody knows.
        if (codings.IsEmpty) _codings++;
        while (FieldText.NextOf(ref codings, out var coding))
        {
            _codings++;
            _isChunked = FieldText.Is(coding, "chunked"u8);
        }
    }
}
