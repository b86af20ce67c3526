namespace Piccolo.Core.Tunnel.Streams;

/// <summary>Names one user connection within one session: a UUID, 16 bytes in network order (RFC 9562) in data frames, lower-case text in JSON.</summary>
internal readonly record struct StreamId(Guid Value)
{
    public const int Length = 16;

    public static StreamId New() => new(Guid.NewGuid());

    /// <summary>Control messages without an id count as the all-zero id, which no stream may have.</summary>
    public bool IsZero => Value == Guid.Empty;

    public static StreamId Read(ReadOnlySpan<byte> bytes) => new(new Guid(bytes[..Length], bigEndian: true));

    public void Write(Span<byte> destination) => Value.TryWriteBytes(destination, bigEndian: true, out _);

    public override string ToString() => Value.ToString("D");
}
