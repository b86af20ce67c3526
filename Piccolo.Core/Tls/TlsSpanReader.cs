using System.Buffers.Binary;

namespace Piccolo.Core.Tls;

/// <summary>Takes the length-prefixed vectors of TLS's presentation language (RFC 8446, 3.4) off a span; never reads past its end.</summary>
internal ref struct TlsSpanReader(ReadOnlySpan<byte> remaining)
{
    private ReadOnlySpan<byte> _remaining = remaining;

    public readonly bool IsEmpty => _remaining.IsEmpty;

    public bool TrySkip(int count)
    {
        if (_remaining.Length < count) return false;
        _remaining = _remaining[count..];
        return true;
    }

    public bool TryReadByte(out byte value)
    {
        value = 0;
        if (_remaining.IsEmpty) return false;
        value = _remaining[0];
        return TrySkip(1);
    }

    public bool TryReadUInt16(out ushort value)
    {
        return BinaryPrimitives.TryReadUInt16BigEndian(_remaining, out value) && TrySkip(2);
    }

    public bool TryReadVector8(out ReadOnlySpan<byte> vector)
    {
        vector = default;
        return TryReadByte(out var length) && TryTake(length, out vector);
    }

    public bool TryReadVector16(out ReadOnlySpan<byte> vector)
    {
        vector = default;
        return TryReadUInt16(out var length) && TryTake(length, out vector);
    }

    private bool TryTake(int length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (_remaining.Length < length) return false;
        taken = _remaining[..length];
        return TrySkip(length);
    }
}
