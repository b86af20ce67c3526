using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Piccolo.Core.Exports;

/// <summary>
/// AES-256-GCM over a stream of chunks in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): each chunk's nonce is its index and whether it
/// is the last, so that chunks cannot be dropped, swapped, repeated or cut off. One key is used for one file only. Not thread-safe.
/// </summary>
internal sealed class ChunkCipher(ReadOnlySpan<byte> key, byte[] associatedData) : IDisposable
{
    /// <summary>Plain bytes of every chunk but the last, which may have fewer.</summary>
    public const int ChunkLength = 64 * 1024;
    public const int TagLength = 16;
    public const int SealedLength = ChunkLength + TagLength;

    private readonly AesGcm _cipher = new(key, TagLength);
    private readonly byte[] _nonce = new byte[12];
    private uint _index;

    public void Seal(ReadOnlySpan<byte> plain, bool last, Span<byte> destination)
    {
        Next(last);
        _cipher.Encrypt(_nonce, plain, destination[..plain.Length], destination.Slice(plain.Length, TagLength), associatedData);
    }

    /// <returns>False when this is not the next chunk of the file.</returns>
    public bool Open(ReadOnlySpan<byte> box, bool last, Span<byte> destination)
    {
        if (box.Length < TagLength) return false;
        Next(last);
        try
        {
            _cipher.Decrypt(_nonce, box[..^TagLength], box[^TagLength..], destination[..(box.Length - TagLength)], associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();

    private void Next(bool last)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_nonce.AsSpan(7), _index);
        _nonce[11] = last ? (byte)1 : (byte)0;
        _index = checked(_index + 1);
    }
}
