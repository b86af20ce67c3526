using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>
/// Pinned blocks for sockets and for the clear side of TLS. A block is as long as a TLS record may be (RFC 8446, 5.1): the server writes block by block, and
/// each write becomes a record. Thread-safe.
/// </summary>
/// <param name="blockLength">Of every block, whatever less is asked for.</param>
internal sealed class BlockPool(int blockLength = BlockPool.RecordLength) : MemoryPool<byte>, IMemoryPoolFeature
{
    private const int RecordLength = 16 * 1024;

    /// <summary>Blocks that are returned beyond that are left to the collector.</summary>
    private const int MaxIdleBytes = 16 * 1024 * 1024;

    private readonly ConcurrentQueue<Block> _idle = new();
    private int _count;
    private volatile bool _disposed;

    public override int MaxBufferSize => blockLength;

    MemoryPool<byte> IMemoryPoolFeature.MemoryPool => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, blockLength);
        if (_idle.TryDequeue(out var block)) Interlocked.Decrement(ref _count);
        else block = new Block(this, blockLength);
        block.Rent();
        return block;
    }

    /// <summary>Leaves idle blocks to the collector.</summary>
    public void Trim()
    {
        while (_idle.TryDequeue(out _)) Interlocked.Decrement(ref _count);
    }

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        Trim();
    }

    private void Return(Block block)
    {
        if (_disposed) return;
        if (Interlocked.Increment(ref _count) <= MaxIdleBytes / blockLength) _idle.Enqueue(block);
        else Interlocked.Decrement(ref _count);
    }

    private sealed class Block : IMemoryOwner<byte>
    {
        private readonly BlockPool _pool;
        private int _isRented;

        public Block(BlockPool pool, int length)
        {
            _pool = pool;
            Memory = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(length, pinned: true), 0, length);
        }

        public Memory<byte> Memory { get; }

        public void Rent() => Volatile.Write(ref _isRented, 1);

        public void Dispose()
        {
            // Twice is once: a block must not be lent to two.
            if (Interlocked.Exchange(ref _isRented, 0) == 1) _pool.Return(this);
        }
    }
}
