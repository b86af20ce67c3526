using System.Buffers;
using System.IO.Pipelines;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// The app's end of what the user sends: a pipe's reader that tells how much was consumed, because consumption is what earns the user credit.
/// </summary>
internal sealed class TunnelInput(PipeReader inner, Action<long> consumed, Action completed) : PipeReader
{
    private ReadOnlySequence<byte> _current;

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => Remember(await inner.ReadAsync(cancellationToken));

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result)) return false;
        Remember(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var length = _current.Slice(_current.Start, consumed).Length;
        _current = default;
        inner.AdvanceTo(consumed, examined);
        if (length > 0) Consumed(length);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        inner.Complete(exception);
        completed();
    }

    private void Consumed(long length) => consumed(length);

    private ReadResult Remember(ReadResult result)
    {
        _current = result.Buffer;
        return result;
    }
}

/// <summary>The app's end of what the user gets: a pipe's writer that tells when the app has finished.</summary>
internal sealed class TunnelOutput(PipeWriter inner, Action<Exception?> completed) : PipeWriter
{
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(source, cancellationToken);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        // First, because the stream's loop goes on within the completion. The exception stays here: in the pipe it would surface in the session's writer,
        // which serves all streams.
        completed(exception);
        inner.Complete();
    }
}
