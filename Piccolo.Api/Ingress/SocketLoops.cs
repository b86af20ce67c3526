using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress;

/// <summary>The loops of the front door, one per processor up to a few, given out in turn.</summary>
internal sealed class SocketLoops : IDisposable
{
    private const int Most = 4;

    private readonly SocketLoop[] _loops;
    private int _turn;

    /// <param name="count">0: as many as there are processors, up to a few.</param>
    public SocketLoops(ILogger<SocketLoops> logger, int count = 0) =>
        _loops = [.. Enumerable.Range(0, count > 0 ? count : Math.Clamp(Environment.ProcessorCount, 1, Most)).Select(i => new SocketLoop($"splice-{i}", logger))];

    public ReadOnlySpan<SocketLoop> All => _loops;

    public SocketLoop Next() => _loops[(uint)Interlocked.Increment(ref _turn) % (uint)_loops.Length];

    /// <summary>Waits until a socket of which nothing was read has bytes, or the end of them; takes neither.</summary>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public async Task UntilReadableAsync(Socket socket, CancellationToken cancellationToken)
    {
        var loop = Next();
        var watch = new ReadableWatch();
        var place = loop.Add(socket, watch);
        try
        {
            await watch.Readable.WaitAsync(cancellationToken);
        }
        finally
        {
            loop.Remove(socket, place);
        }
    }

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }

    private sealed class ReadableWatch : ISocketWatcher
    {
        private readonly TaskCompletionSource _readable = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Readable => _readable.Task;

        public bool OnReady(SocketReadiness readiness)
        {
            _readable.TrySetResult();
            return false;
        }
    }
}
