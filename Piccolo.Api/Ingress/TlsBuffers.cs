using System.Buffers;
using Microsoft.AspNetCore.Connections.Features;
using Piccolo.Api.Platform;

namespace Piccolo.Api.Ingress;

/// <summary>The blocks on the clear side of TLS that ends here, wiped as all others, of two lengths.</summary>
internal sealed class TlsBuffers : IDisposable
{
    private const int ShortLength = 4 * 1024;

    /// <summary>As long as a TLS record may be (RFC 8446, 5.1): the server writes block by block, and each write becomes a record.</summary>
    private const int LongLength = 16 * 1024;

    private readonly WipingMemoryPool _short = new(ShortLength);
    private readonly WipingMemoryPool _long = new(LongLength);

    public IMemoryPoolFeature ForConnection() => new ConnectionBlocks(_short, _long);

    public void Dispose()
    {
        _short.Dispose();
        _long.Dispose();
    }

    /// <summary>
    /// What one connection gets: short blocks while they are enough, for to wipe a long one after each small answer costs more than to encrypt it; long ones
    /// as soon as one was filled.
    /// </summary>
    private sealed class ConnectionBlocks(WipingMemoryPool shorts, WipingMemoryPool longs) : MemoryPool<byte>, IMemoryPoolFeature, IBlockObserver
    {
        /// <summary>Data that ends in so many zeros is rare, and taking a full block for one that is not costs nothing but time.</summary>
        private const int Probe = 16;

        private bool _isLong;

        public override int MaxBufferSize => LongLength;

        MemoryPool<byte> IMemoryPoolFeature.MemoryPool => this;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => (_isLong || minBufferSize > ShortLength ? longs : shorts).Rent(minBufferSize, this);

        public void Returning(ReadOnlySpan<byte> block) =>
            _isLong = (block.Length == ShortLength ? block[^Probe..] : block.Slice(ShortLength, Probe)).ContainsAnyExcept((byte)0);

        protected override void Dispose(bool disposing)
        {
            // The blocks belong to all connections.
        }
    }
}
