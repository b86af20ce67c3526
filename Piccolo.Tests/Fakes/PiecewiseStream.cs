namespace Piccolo.Tests.Fakes;

/// <summary>Gives its bytes in pieces of the lengths that are named, over and over, and then its end; keeps what is written.</summary>
internal sealed class PiecewiseStream(byte[] bytes, int[] pieces) : Stream
{
    private int _at;
    private int _reads;

    public MemoryStream Written { get; } = new();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var length = Math.Min(Math.Min(count, bytes.Length - _at), pieces[_reads++ % pieces.Length]);
        bytes.AsSpan(_at, length).CopyTo(buffer.AsSpan(offset));
        _at += length;
        return length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Written.Write(buffer, offset, count);

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
