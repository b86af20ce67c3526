using System.Runtime.CompilerServices;

namespace Piccolo.Api.Ingress;

/// <summary>A <see cref="LoopSocket"/> as a stream: what is read goes on on the loop's thread.</summary>
internal sealed class LoopStream(LoopSocket socket) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return socket.MayHaveBytes ? ValueTask.FromResult(0) : WaitAsync(buffer, cancellationToken);
        var received = socket.TryReceive(buffer.Span);
        return received >= 0 ? ValueTask.FromResult(received) : WaitAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => socket.SendAsync(buffer);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) socket.Dispose();
        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        socket.OnPool = SocketLoop.Current is null;
        using var registration = cancellationToken.UnsafeRegister(static s => ((LoopSocket)s!).WakeReader(), socket);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await socket.UntilReadableAsync();
            if (buffer.IsEmpty) return 0;
            var received = socket.TryReceive(buffer.Span);
            if (received >= 0) return received;
        }
    }
}
