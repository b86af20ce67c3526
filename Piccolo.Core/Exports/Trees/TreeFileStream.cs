using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Piccolo.Core.Exports.Trees;

/// <summary>
/// The data of one file's entry, read forward only: the map of its parts where it has holes, then the parts. Fails where the file is not as long as it was: a
/// tar says a length before the data. Its length is known although it cannot be sought in, which a tar's writer needs.
/// </summary>
internal sealed class TreeFileStream(
    SafeFileHandle file, byte[] map, ImmutableArray<FilePart> parts, TreeDigest digest, Action<int> read) : Stream
{
    private int _part;
    private long _inPart;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = map.Length + parts.Sum(p => p.Length);

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    /// <exception cref="TreeUnreadableException">The disk, or the file became shorter.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0 || _position == Length) return 0;
        int count;
        if (_position < map.Length)
        {
            count = (int)Math.Min(buffer.Length, map.Length - _position);
            map.AsSpan((int)_position, count).CopyTo(buffer.Span);
        }
        else
        {
            var part = parts[_part];
            count = await ReadAsync(part.Offset + _inPart, buffer[..(int)Math.Min(buffer.Length, part.Length - _inPart)], cancellationToken);
            _inPart += count;
            if (_inPart == part.Length) (_part, _inPart) = (_part + 1, 0);
        }
        digest.AddData(buffer.Span[..count]);
        _position += count;
        read(count);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async Task<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await RandomAccess.ReadAsync(file, buffer, offset, cancellationToken);
            return count > 0 ? count : throw new TreeUnreadableException("a file became shorter while it was read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TreeUnreadableException(e.Message, e);
        }
    }
}
