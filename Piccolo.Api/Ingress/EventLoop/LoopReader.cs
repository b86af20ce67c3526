using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>
/// What comes in on a <see cref="LoopSocket"/>, received when somebody reads: no loop that reads ahead, and no memory while the peer is silent.
/// </summary>
internal sealed class LoopReader(LoopSocket socket, MemoryPool<byte> pool) : PipeReader
{
    /// <summary>With less room than this in the last block, the next receive gets a new one.</summary>
    private const int LeastRoom = 1024;

    // Against an end from elsewhere: a block must not be given back under a receive, nor twice.
    private readonly Lock _gate = new();
    private LoopBlock? _first;
    private LoopBlock? _last;
    private int _consumed;
    private int _written;
    private bool _isExamined = true;
    private bool _isOver;
    private bool _isCompleted;
    private int _cancelled;

    /// <summary>
    /// The end was a break. It is read as an end all the same: most TLS clients leave so, and an exception through all layers would cost more than a request.
    /// Who must know asks.
    /// </summary>
    public bool IsBroken { get; private set; }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfCompleted();
        var isCanceled = Interlocked.Exchange(ref _cancelled, 0) == 1;
        if (!isCanceled && _isExamined && !_isOver) Fill();
        result = new ReadResult(Unread(), isCanceled, _isOver);
        return isCanceled || !_isExamined || _isOver;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        if (Volatile.Read(ref _cancelled) == 0)
        {
            if (_isExamined && !_isOver) Fill();
            if (!_isExamined || _isOver) return ValueTask.FromResult(Result());
        }
        return WaitAsync(cancellationToken);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_gate)
        {
            if (_isCompleted || consumed.GetObject() is not LoopBlock to) return;
            while (_first != to)
            {
                var gone = _first ?? throw new InvalidOperationException("What is consumed lies before what was read.");
                _first = (LoopBlock?)gone.Next;
                gone.Dispose();
            }
            _consumed = consumed.GetInteger();
            _isExamined = examined.GetObject() == _last && examined.GetInteger() == _written;
            if (_first != _last || _consumed != _written) return;
            // Nothing is left: no block waits with a silent peer.
            _first!.Dispose();
            (_first, _last, _consumed, _written) = (null, null, 0, 0);
        }
    }

    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancelled, 1);
        socket.WakeReader();
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            if (_isCompleted) return;
            _isCompleted = true;
            for (var block = _first; block is not null; block = (LoopBlock?)block.Next) block.Dispose();
            (_first, _last) = (null, null);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static reader => ((LoopReader)reader!).Wake(), this);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TakeCancelled()) return new ReadResult(Unread(), isCanceled: true, isCompleted: _isOver);
            await socket.UntilReadableAsync();
            Fill();
            if (!_isExamined || _isOver) return Result();
        }
    }

    private void Wake() => socket.WakeReader();

    /// <summary>One receive, when there may be something.</summary>
    private void Fill()
    {
        if (!socket.MayHaveBytes) return;
        lock (_gate)
        {
            ThrowIfCompleted();
            Receive();
        }
    }

    private void Receive()
    {
        var room = _last is { } last && last.Owned.Length - _written >= LeastRoom ? last.Owned[_written..] : default;
        var fresh = room.IsEmpty ? new LoopBlock(pool.Rent()) : null;
        try
        {
            var received = socket.TryReceiveOrBroken((fresh?.Owned ?? room).Span);
            if (received == SocketTransfer.Broken) IsBroken = true;
            if (received is 0 or SocketTransfer.Broken) _isOver = true;
            if (received <= 0) return;
            if (fresh is not null)
            {
                _last?.End(_written, fresh);
                (_first, _last, _written) = (_first ?? fresh, fresh, 0);
                fresh = null;
            }
            _written += received;
            _isExamined = false;
        }
        finally
        {
            fresh?.Dispose();
        }
    }

    /// <summary>Whether a wait was called off; true once for each time.</summary>
    private bool TakeCancelled() => Volatile.Read(ref _cancelled) != 0 && Interlocked.Exchange(ref _cancelled, 0) == 1;

    private ReadResult Result() => new(Unread(), isCanceled: false, isCompleted: _isOver);

    private ReadOnlySequence<byte> Unread()
    {
        if (_first is null || _last is null) return ReadOnlySequence<byte>.Empty;
        _last.Reach(_written);
        return new ReadOnlySequence<byte>(_first, _consumed, _last, _written);
    }

    private void ThrowIfCompleted()
    {
        if (_isCompleted) throw new InvalidOperationException("Nobody reads any more.");
    }
}

/// <summary>A block of memory in a chain of them.</summary>
internal sealed class LoopBlock(IMemoryOwner<byte> owner) : ReadOnlySequenceSegment<byte>, IDisposable
{
    public Memory<byte> Owned { get; } = owner.Memory;

    /// <summary>As far as this it is filled.</summary>
    public void Reach(int written) => Memory = Owned[..written];

    /// <summary>It is full, and this follows.</summary>
    public void End(int written, LoopBlock next)
    {
        Reach(written);
        next.RunningIndex = RunningIndex + written;
        Next = next;
    }

    public void Dispose() => owner.Dispose();
}
