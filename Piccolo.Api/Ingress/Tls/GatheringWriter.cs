using System.Buffers;
using System.IO.Pipelines;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>
/// What an HTTP/2 connection writes, gathered: its server flushes after each answer, and each flush would be a TLS record and a packet. Here a flush asks the
/// thread pool to send, and what other streams write until it gets to it goes with it. One writes at a time; the sending has a thread of its own.
/// </summary>
/// <param name="target">The clear side of TLS; nobody else writes to it.</param>
/// <param name="logger">Told why nothing more can be sent.</param>
internal sealed class GatheringWriter(Stream target, MemoryPool<byte> pool, ILogger logger) : PipeWriter, IThreadPoolWorkItem
{
    /// <summary>From here on a flush waits: the peer is slower than its answers.</summary>
    private const int Most = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<WriteBlock> _blocks = new();
    private WriteBlock? _open;
    private TaskCompletionSource<FlushResult>? _room;
    private TaskCompletionSource? _quiet;
    private long _unsent;
    private bool _isLent;
    private bool _isSending;
    private bool _isCompleted;
    private bool _isBroken;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => Volatile.Read(ref _unsent);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isCompleted, this);
            _isLent = true;
            if (_open is null || _open.Room.Length < Math.Max(sizeHint, 1)) _blocks.Enqueue(_open = new WriteBlock(pool, sizeHint));
            return _open.Room;
        }
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (bytes == 0) return;
        lock (_gate)
        {
            (_open ?? throw new InvalidOperationException("Memory is asked for first.")).Add(bytes);
            _unsent += bytes;
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            _isLent = false;
            if (_isBroken || _isCompleted) return ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: true));
            if (_unsent == 0) return ValueTask.FromResult(default(FlushResult));
            if (!_isSending)
            {
                _isSending = true;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
            if (_unsent < Most) return ValueTask.FromResult(default(FlushResult));
            _room ??= new TaskCompletionSource<FlushResult>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<FlushResult>(cancellationToken.CanBeCanceled ? _room.Task.WaitAsync(cancellationToken) : _room.Task);
        }
    }

    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            _room?.TrySetResult(new FlushResult(isCanceled: true, isCompleted: false));
            _room = null;
        }
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            (_isCompleted, _isLent) = (true, false);
            if (exception is not null) _isBroken = true;
            if (_isSending) return;
            if (_unsent > 0 && !_isBroken)
            {
                _isSending = true;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
            GiveAllBack();
        }
    }

    /// <summary>Waits until everything that was flushed is sent, or nothing more will be.</summary>
    public Task UntilQuietAsync()
    {
        lock (_gate)
        {
            if (!_isSending) return Task.CompletedTask;
            _quiet ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _quiet.Task;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAsync();

    private async Task SendAsync()
    {
        try
        {
            while (Next() is { IsEmpty: false } bytes)
            {
                await target.WriteAsync(bytes);
                Sent(bytes.Length);
            }
        }
        catch (Exception failure)
        {
            // The connection has ended, of which whoever reads from it is told; or the TLS stack has failed. Nothing more can be sent, and nobody may wait
            // for it.
            logger.SendFailed(failure);
            lock (_gate)
            {
                _isBroken = true;
                End();
            }
        }
    }

    /// <returns>Empty when everything is sent: then the sending has ended.</returns>
    private ReadOnlyMemory<byte> Next()
    {
        lock (_gate)
        {
            while (!_isBroken && _blocks.TryPeek(out var block))
            {
                if (!block.Unsent.IsEmpty) return block.Unsent;
                // What was asked for and not yet filled stays.
                if (block == _open && _isLent) break;
                if (block == _open) _open = null;
                _blocks.Dequeue().GiveBack();
            }
            End();
            return default;
        }
    }

    private void Sent(int bytes)
    {
        lock (_gate)
        {
            _blocks.Peek().Took(bytes);
            _unsent -= bytes;
            if (_unsent >= Most / 2 || _room is null) return;
            _room.TrySetResult(default);
            _room = null;
        }
    }

    private void End()
    {
        _isSending = false;
        if (_isBroken || _isCompleted) GiveAllBack();
        _quiet?.TrySetResult();
        _quiet = null;
    }

    private void GiveAllBack()
    {
        _room?.TrySetResult(new FlushResult(isCanceled: false, isCompleted: true));
        _room = null;
        // Somebody may be writing into it still; then it goes when that is over.
        if (_isLent) return;
        while (_blocks.TryDequeue(out var block)) block.GiveBack();
        (_open, _unsent) = (null, 0);
    }
}
