using System.Threading.Channels;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>Wakes the one waiting loop. Several sets before it waits wake it once; none is lost.</summary>
internal sealed class AsyncAutoResetEvent
{
    private readonly Channel<bool> _slot = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _slot.Writer.TryWrite(true);

    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _slot.Reader.ReadAsync(cancellationToken);
}
