using System.Threading.Tasks.Sources;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>
/// One who waits for a socket to become ready, again and again without an allocation. Who waits goes on inside <see cref="Wake"/>, on the thread of the loop,
/// or on the thread pool.
/// </summary>
internal sealed class LoopWait(SocketLoop loop) : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private int _waits;
    private bool _onPool;

    /// <summary>To be called when nobody waits. <see cref="TryCancel"/> must follow when it turns out that there is nothing to wait for.</summary>
    public ValueTask Begin(bool onPool)
    {
        _core.Reset();
        _onPool = onPool;
        var wait = new ValueTask(this, _core.Version);
        // A full fence: what decides whether to wait is looked at once more after this.
        Interlocked.Exchange(ref _waits, 1);
        return wait;
    }

    /// <returns>False when the wait has just been answered: then it has to be awaited.</returns>
    public bool TryCancel() => Interlocked.Exchange(ref _waits, 0) == 1;

    /// <summary>On the loop's thread. Nothing happens when nobody waits.</summary>
    public void Wake()
    {
        // What the waker has just noted for the waiter must be visible before it looks whether somebody waits: else both could pass each other by, and nobody
        // would ever be woken. The waiter's half of this fence is in Begin.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waits) == 0 || Interlocked.Exchange(ref _waits, 0) == 0) return;
        if (_onPool) loop.ToPool(this);
        else Answer();
    }

    /// <summary>Goes on with what waited; only by whom the wait was handed to.</summary>
    public void Answer() => _core.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
