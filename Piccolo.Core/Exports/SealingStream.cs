namespace Piccolo.Core.Exports;

/// <summary>
/// Write-only: seals what is written into chunks. <see cref="CompleteAsync"/> writes the last one; without it the file is recognisably cut off.
/// </summary>
internal sealed class SealingStream(Stream inner, ChunkCipher cipher) : Stream
{
    private readonly byte[] _plain = new byte[ChunkCipher.ChunkLength];
    private readonly byte[] _box = new byte[ChunkCipher.SealedLength];
    private int _filled;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            // A full chunk waits until there is more: only then it is known not to be the last.
            if (_filled == _plain.Length) await FlushChunkAsync(last: false, cancellationToken);
            var count = Math.Min(buffer.Length, _plain.Length - _filled);
            buffer.Span[..count].CopyTo(_plain.AsSpan(_filled));
            _filled += count;
            buffer = buffer[count..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public async Task CompleteAsync(CancellationToken cancellationToken) => await FlushChunkAsync(last: true, cancellationToken);

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask FlushChunkAsync(bool last, CancellationToken cancellationToken)
    {
        var sealedLength = _filled + ChunkCipher.TagLength;
        cipher.Seal(_plain.AsSpan(0, _filled), last, _box);
        _filled = 0;
        await inner.WriteAsync(_box.AsMemory(0, sealedLength), cancellationToken);
    }
}
