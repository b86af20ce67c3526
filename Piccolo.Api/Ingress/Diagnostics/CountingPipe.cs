using System.Buffers;
using System.IO.Pipelines;

namespace Piccolo.Api.Ingress.Diagnostics;

/// <summary>A connection's two pipes, with the bytes that go through them added to a listener's counters as they go.</summary>
internal sealed class CountingPipe(PipeReader input, PipeWriter output, ListenerCounters counters) : IDuplexPipe
{
    public PipeReader Input { get; } = new CountingReader(input, counters);

    public PipeWriter Output { get; } = new CountingWriter(output, counters);

    private sealed class CountingReader(PipeReader inner, ListenerCounters counters) : PipeReader
    {
        private ReadOnlySequence<byte> _seen;

        public override bool TryRead(out ReadResult result)
        {
            if (!inner.TryRead(out result)) return false;
            _seen = result.Buffer;
            return true;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var reading = inner.ReadAsync(cancellationToken);
            if (!reading.IsCompletedSuccessfully) return AwaitAsync(reading);
            var result = reading.Result;
            _seen = result.Buffer;
            return ValueTask.FromResult(result);
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            counters.Received(_seen.Slice(0, consumed).Length);
            _seen = default;
            inner.AdvanceTo(consumed, examined);
        }

        private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> reading)
        {
            var result = await reading;
            _seen = result.Buffer;
            return result;
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }

    private sealed class CountingWriter(PipeWriter inner, ListenerCounters counters) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            counters.Sent(bytes);
            inner.Advance(bytes);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            counters.Sent(source.Length);
            return inner.WriteAsync(source, cancellationToken);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }
}
