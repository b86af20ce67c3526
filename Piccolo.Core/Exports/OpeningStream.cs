namespace Piccolo.Core.Exports;

/// <summary>Read-only: opens chunk after chunk. Hands on only bytes whose chunk was authentic, and ends only after the authentic last chunk.</summary>
/// <param name="limit">Plain bytes that are handed on at most.</param>
internal sealed class OpeningStream(Stream inner, ChunkCipher cipher, long limit) : Stream
{
    private readonly byte[] _plain = new byte[ChunkCipher.ChunkLength];
    private byte[] _box = new byte[ChunkCipher.SealedLength];
    private byte[] _next = new byte[ChunkCipher.SealedLength];
    private int _nextLength = -1;
    private int _filled;
    private int _read;
    private bool _ended;
    private long _total;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="ExportInvalidException">A chunk is not authentic, the file is cut off, or it is larger than allowed.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_read == _filled)
        {
            if (_ended || buffer.Length == 0) return 0;
            await OpenNextAsync(cancellationToken);
        }
        var count = Math.Min(buffer.Length, _filled - _read);
        _plain.AsSpan(_read, count).CopyTo(buffer.Span);
        _read += count;
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

    private async ValueTask OpenNextAsync(CancellationToken cancellationToken)
    {
        if (_nextLength < 0) _nextLength = await FillAsync(_next, cancellationToken);
        (_box, _next) = (_next, _box);
        var length = _nextLength;
        // Whether a full chunk is the last is known when there is nothing behind it.
        _nextLength = length == ChunkCipher.SealedLength ? await FillAsync(_next, cancellationToken) : 0;
        _ended = _nextLength == 0;
        if (!cipher.Open(_box.AsSpan(0, length), _ended, _plain))
            throw new ExportInvalidException("export_damaged", "The export was changed, damaged or cut off.");
        (_read, _filled) = (0, length - ChunkCipher.TagLength);
        _total += _filled;
        if (_total <= limit) return;
        throw new ExportInvalidException(
            "export_too_large", $"The export holds more than the {limit} bytes that this appliance takes (Piccolo:Exports:MaxImportBytes).");
    }

    private Task<int> FillAsync(byte[] buffer, CancellationToken cancellationToken) =>
        inner.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).AsTask();
}
