namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>The loops of the front door, one per processor up to a few, given out in turn.</summary>
internal sealed class SocketLoops : IDisposable
{
    private const int MaxLoops = 4;

    private readonly SocketLoop[] _loops;
    private int _turn;

    /// <param name="count">0: as many as there are processors, up to a few.</param>
    public SocketLoops(ILogger<SocketLoops> logger, int count = 0) =>
        _loops = [.. Enumerable.Range(0, count > 0 ? count : Math.Clamp(Environment.ProcessorCount, 1, MaxLoops))
            .Select(i => new SocketLoop($"ingress-loop-{i}", logger))];

    public IReadOnlyList<SocketLoop> All => _loops;

    public SocketLoop Next() => _loops[(uint)Interlocked.Increment(ref _turn) % (uint)_loops.Length];

    /// <summary>The loop whose thread this is; on another thread the next.</summary>
    public SocketLoop Here() => SocketLoop.Current ?? Next();

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }
}
