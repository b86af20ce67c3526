using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress;

/// <summary>What goes out on a <see cref="LoopSocket"/>: sent by whoever flushes, at once. A flush is over when the kernel has taken everything.</summary>
internal sealed class LoopWriter(LoopSocket socket, MemoryPool<byte> pool) : PipeWriter
{
    // Against an end from elsewhere while bytes go out.
    private readonly Lock _gate = new();
    private readonly Queue<Chunk> _waiting = new();
    private Chunk? _open;
    private long _unflushed;
    private int _cancelled;
    private bool _isCompleted;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public override void Advance(int bytes)
    {
        if (bytes == 0) return;
        (_open ?? throw new InvalidOperationException("Memory is asked for first.")).Add(bytes);
        _unflushed += bytes;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_isCompleted, this);
        if (_open is null || _open.Room.Length < Math.Max(sizeHint, 1)) _waiting.Enqueue(_open = new Chunk(pool, sizeHint));
        return _open.Room;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => WriteAsync(default, cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (_isCompleted) return ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: true));
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        // Nearly always: straight from the caller's memory, and all of it.
        return Send(ref source) ? ValueTask.FromResult(default(FlushResult)) : SendRestAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _cancelled, 1);
        socket.WakeWriter();
    }

    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted) return;
        _isCompleted = true;
        try
        {
            // What nobody flushed goes as far as there is room: there is nobody left to wait for more.
            var nothing = ReadOnlyMemory<byte>.Empty;
            if (exception is null) Send(ref nothing);
        }
        catch (Exception failure) when (failure is ConnectionResetException or ConnectionAbortedException)
        {
            // The connection has gone before.
        }
        lock (_gate)
        {
            while (_waiting.TryDequeue(out var chunk)) chunk.GiveBack();
            (_open, _unflushed) = (null, 0);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendRestAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static writer => ((LoopWriter)writer!).Wake(), this);
        do
        {
            await socket.UntilWritableAsync();
            if (Interlocked.Exchange(ref _cancelled, 0) == 1)
            {
                // It is said to be written: it goes with the next flush.
                if (!source.IsEmpty) this.Write(source.Span);
                return new FlushResult(isCanceled: true, isCompleted: _isCompleted);
            }
            cancellationToken.ThrowIfCancellationRequested();
        }
        while (!Send(ref source));
        return default;
    }

    /// <summary>In order: what waits, then the caller's memory.</summary>
    /// <param name="source">What is left of it.</param>
    /// <returns>Whether nothing is left.</returns>
    /// <exception cref="ConnectionResetException">The peer has broken off.</exception>
    private bool Send(ref ReadOnlyMemory<byte> source)
    {
        try
        {
            lock (_gate) return SendWhatFits(ref source);
        }
        catch (SocketException failure)
        {
            throw new ConnectionResetException("The peer has broken the connection off.", failure);
        }
    }

    private bool SendWhatFits(ref ReadOnlyMemory<byte> source)
    {
        while (_waiting.TryPeek(out var chunk))
        {
            var sent = SendUntilFull(chunk.Unsent);
            chunk.Took(sent);
            _unflushed -= sent;
            if (!chunk.Unsent.IsEmpty) return false;
            if (_open == chunk) _open = null;
            _waiting.Dequeue().GiveBack();
        }
        source = source[SendUntilFull(source.Span)..];
        return source.IsEmpty;
    }

    private int SendUntilFull(ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            var taken = socket.TrySend(bytes[sent..]);
            if (taken < 0) break;
            sent += taken;
        }
        return sent;
    }

    private void Wake() => socket.WakeWriter();

    private sealed class Chunk
    {
        private readonly IMemoryOwner<byte>? _owner;
        private readonly Memory<byte> _memory;
        private int _from;
        private int _to;

        /// <summary>Of a length that the pool does not have, the memory is the collector's.</summary>
        public Chunk(MemoryPool<byte> pool, int length)
        {
            _owner = length <= pool.MaxBufferSize ? pool.Rent() : null;
            _memory = _owner?.Memory ?? new byte[length];
        }

        public Memory<byte> Room => _memory[_to..];

        public ReadOnlySpan<byte> Unsent => _memory.Span[_from.._to];

        public void Add(int bytes) => _to += bytes;

        public void Took(int bytes) => _from += bytes;

        public void GiveBack()
        {
            if (_owner is null) _memory.Span.Clear();
            else _owner.Dispose();
        }
    }
}
