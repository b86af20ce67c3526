using System.Buffers;
using Microsoft.AspNetCore.Connections.Features;
using Piccolo.Api.Platform;

namespace Piccolo.Api.Ingress;

/// <summary>
/// The blocks on the clear side of TLS that ends here, wiped as all others. As long as a TLS record may be (RFC 8446, 5.1): the server writes block by block,
/// and each write becomes a record.
/// </summary>
internal sealed class TlsBuffers : IMemoryPoolFeature, IDisposable
{
    private const int RecordLength = 16 * 1024;

    public MemoryPool<byte> MemoryPool { get; } = new WipingMemoryPool(RecordLength);

    public void Dispose() => MemoryPool.Dispose();
}
