namespace Piccolo.Tests.Core.Volumes;

/// <summary>A stream of one block, over and over, that takes no more memory than one.</summary>
internal sealed class RepeatedBlock(byte[] block, long times) : Stream
{
    private long _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (_at == block.Length * times) return 0;
        var from = (int)(_at % block.Length);
        var length = Math.Min(count, block.Length - from);
        block.AsSpan(from, length).CopyTo(buffer.AsSpan(offset));
        _at += length;
        return length;
    }

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
