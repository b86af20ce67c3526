using System.Buffers;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>Memory that is filled from one end and sent from the other.</summary>
internal sealed class WriteBlock
{
    private readonly IMemoryOwner<byte>? _owner;
    private readonly Memory<byte> _memory;
    private int _from;
    private int _to;

    /// <param name="length">At least; beyond what the pool has, the memory is the collector's.</param>
    public WriteBlock(MemoryPool<byte> pool, int length)
    {
        _owner = length <= pool.MaxBufferSize ? pool.Rent(length) : null;
        _memory = _owner?.Memory ?? new byte[length];
    }

    public Memory<byte> Room => _memory[_to..];

    public ReadOnlyMemory<byte> Unsent => _memory[_from.._to];

    public void Add(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(_memory.Length - _to));
        _to += bytes;
    }

    public void Took(int bytes) => _from += bytes;

    public void GiveBack() => _owner?.Dispose();
}
