using System.Buffers.Binary;

namespace Piccolo.Core.ControlStore.Integrity;

/// <summary>
/// The sum modulo 2^256 of the keyed hashes of all rows, and their number. Order does not matter, so that a commit adds and takes away only what it changed.
/// Never stored: whoever knew such sums could look for other rows with the same one.
/// </summary>
internal readonly record struct StateDigest(UInt128 High, UInt128 Low, long Rows)
{
    public const int Length = 40;

    public StateDigest Add(ReadOnlySpan<byte> mac)
    {
        var low = unchecked(Low + BinaryPrimitives.ReadUInt128BigEndian(mac[16..]));
        var carry = low < Low ? UInt128.One : UInt128.Zero;
        return new StateDigest(unchecked(High + BinaryPrimitives.ReadUInt128BigEndian(mac) + carry), low, Rows + 1);
    }

    public StateDigest Remove(ReadOnlySpan<byte> mac)
    {
        var less = BinaryPrimitives.ReadUInt128BigEndian(mac[16..]);
        var borrow = Low < less ? UInt128.One : UInt128.Zero;
        return new StateDigest(unchecked(High - BinaryPrimitives.ReadUInt128BigEndian(mac) - borrow), unchecked(Low - less), Rows - 1);
    }

    public void WriteTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], Low);
        BinaryPrimitives.WriteInt64BigEndian(destination[32..], Rows);
    }
}
