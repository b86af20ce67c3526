using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>What goes out on a <see cref="LoopSocket"/>: sent by whoever flushes, at once. A flush is over when the kernel has taken everything.</summary>
internal sealed class LoopWriter(LoopSocket socket, MemoryPool<byte> pool) : PipeWriter
{
    // Against an end from elsewhere while bytes go out.
    private readonly Lock _gate = new();
    private readonly Queue<WriteBlock> _waiting = new();
    private WriteBlock? _open;
    private long _unflushed;
    private int _cancelled;
    private bool _isCompleted;
    private bool _isBroken;

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
        if (_open is null || _open.Room.Length < Math.Max(sizeHint, 1)) _waiting.Enqueue(_open = new WriteBlock(pool, sizeHint));
        return _open.Room;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => WriteAsync(default, cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (_isCompleted || _isBroken) return ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: true));
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        // Nearly always: straight from the caller's memory, and all of it.
        return Send(ref source) ? ValueTask.FromResult(Result) : SendRestAsync(source, cancellationToken);
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
        // What nobody flushed goes as far as there is room: there is nobody left to wait for more.
        var nothing = ReadOnlyMemory<byte>.Empty;
        if (exception is null && !_isBroken) Send(ref nothing);
        lock (_gate)
        {
            while (_waiting.TryDequeue(out var block)) block.GiveBack();
            (_open, _unflushed) = (null, 0);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendRestAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static writer => ((LoopWriter)writer!).Wake(), this);
        do
        {
            if (!await UntilWritableAsync()) break;
            if (Interlocked.Exchange(ref _cancelled, 0) == 1)
            {
                // It is said to be written: it goes with the next flush.
                if (!source.IsEmpty) this.Write(source.Span);
                return new FlushResult(isCanceled: true, isCompleted: _isCompleted);
            }
            cancellationToken.ThrowIfCancellationRequested();
        }
        while (!Send(ref source));
        return Result;
    }

    /// <summary>
    /// Cancelled too, when that was asked for before or during this flush (<see cref="PipeWriter.CancelPendingFlush"/>): no later one is meant.
    /// </summary>
    private FlushResult Result => new(isCanceled: Interlocked.Exchange(ref _cancelled, 0) == 1, isCompleted: _isBroken);

    /// <returns>False when we have broken the connection off.</returns>
    private async ValueTask<bool> UntilWritableAsync()
    {
        try
        {
            await socket.UntilWritableAsync();
            return true;
        }
        catch (ConnectionAbortedException)
        {
            _isBroken = true;
            return false;
        }
    }

    /// <summary>In order: what waits, then the caller's memory. Of a connection that is broken those who read are told; what is written goes nowhere.</summary>
    /// <param name="source">What is left of it.</param>
    /// <returns>Whether nothing is left to do.</returns>
    private bool Send(ref ReadOnlyMemory<byte> source)
    {
        lock (_gate) return SendWhatFits(ref source) || _isBroken;
    }

    private bool SendWhatFits(ref ReadOnlyMemory<byte> source)
    {
        while (_waiting.TryPeek(out var block))
        {
            var sent = SendUntilFull(block.Unsent.Span);
            block.Took(sent);
            _unflushed -= sent;
            if (!block.Unsent.IsEmpty) return false;
            if (_open == block) _open = null;
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
            var taken = socket.TrySendOrBroken(bytes[sent..]);
            if (taken == SocketTransfer.Broken) _isBroken = true;
            if (taken < 0) break;
            sent += taken;
        }
        return sent;
    }

    private void Wake() => socket.WakeWriter();
}
