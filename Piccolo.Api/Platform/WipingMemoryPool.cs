using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Platform;

/// <summary>
/// The blocks through which all requests and answers pass, wiped when they come back: no body with a password and no header with a token stays behind in a
/// block that waits for its next use. Blocks are pinned, so that the collector makes no copies. Thread-safe.
/// </summary>
/// <param name="blockLength">Of every block, whatever less is asked for.</param>
internal sealed class WipingMemoryPool(int blockLength = WipingMemoryPool.Page) : MemoryPool<byte>
{
    private const int Page = 4096;

    /// <summary>What comes back beyond that is left to the collector.</summary>
    private const int MaxWaitingBytes = 16 * 1024 * 1024;

    private readonly ConcurrentQueue<Block> _waiting = new();
    private int _count;
    private volatile bool _disposed;

    public override int MaxBufferSize => blockLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Rent(minBufferSize, null);

    /// <param name="returning">Told of the block when it comes back, before it is wiped.</param>
    public IMemoryOwner<byte> Rent(int minBufferSize, IBlockObserver? returning)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, blockLength);
        if (_waiting.TryDequeue(out var block)) Interlocked.Decrement(ref _count);
        else block = new Block(this, blockLength);
        block.Lend(returning);
        return block;
    }

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _waiting.Clear();
    }

    private void TakeBack(Block block)
    {
        if (_disposed) return;
        if (Interlocked.Increment(ref _count) <= MaxWaitingBytes / blockLength) _waiting.Enqueue(block);
        else Interlocked.Decrement(ref _count);
    }

    private sealed class Block : IMemoryOwner<byte>
    {
        private readonly WipingMemoryPool _pool;
        private readonly byte[] _bytes;
        private IBlockObserver? _returning;
        private int _lent;

        public Block(WipingMemoryPool pool, int length)
        {
            (_pool, _bytes) = (pool, GC.AllocateArray<byte>(length, pinned: true));
            Memory = MemoryMarshal.CreateFromPinnedArray(_bytes, 0, length);
        }

        public Memory<byte> Memory { get; }

        public void Lend(IBlockObserver? returning)
        {
            _returning = returning;
            Volatile.Write(ref _lent, 1);
        }

        public void Dispose()
        {
            // Twice is once: a block must not be lent to two.
            if (Interlocked.Exchange(ref _lent, 0) == 0) return;
            _returning?.Returning(_bytes);
            _returning = null;
            Array.Clear(_bytes);
            _pool.TakeBack(this);
        }
    }
}

/// <summary>Who wants to know how blocks were used.</summary>
internal interface IBlockObserver
{
    void Returning(ReadOnlySpan<byte> block);
}

/// <summary>Gives the server its blocks.</summary>
internal sealed class WipingMemoryPoolFactory : IMemoryPoolFactory<byte>
{
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new WipingMemoryPool();
}
