using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>Who wants to know when a socket becomes ready. Called on the loop's thread, so never to wait there.</summary>
internal interface ISocketWatcher
{
    /// <returns>True: there is more to do, when the others have had their turn.</returns>
    bool OnReady(SocketReadiness readiness);
}

/// <summary>
/// A thread that does the copying of many spliced sockets, one message after the other, through one buffer: no completion, no pooled thread and no memory
/// per connection (ADR 0014). Registering and leaving is safe from any thread.
/// </summary>
internal sealed class SocketLoop : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Large enough that bulk pays for few system calls, small enough for the processor's own memory.</summary>
    private const int BufferSize = 256 * 1024;

    private readonly SocketPoller _poller = new();
    [ThreadStatic]
    private static SocketLoop? _current;

    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private readonly List<int> _left = [];
    private readonly ConcurrentQueue<ISocketWatcher> _posted = new();
    private readonly Queue<ISocketWatcher> _again = new();
    private readonly ConcurrentQueue<LoopWait> _pooled = new();
    private readonly byte[] _buffer = GC.AllocateArray<byte>(BufferSize, pinned: true);
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private ISocketWatcher?[] _watchers = new ISocketWatcher?[64];
    private int _count;
    private int _poolAsked;
    private volatile bool _ended;

    public SocketLoop(string name, ILogger logger)
    {
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>The loop whose thread this is; null on any other.</summary>
    public static SocketLoop? Current => _current;

    /// <summary>Room for one message, to be used on the loop's thread only and not beyond the call.</summary>
    public Span<byte> Buffer => _buffer;

    /// <inheritdoc cref="Buffer"/>
    public Memory<byte> Memory => _buffer;

    /// <returns>What <see cref="Remove"/> takes back.</returns>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public int Add(SafeHandle socket, ISocketWatcher watcher) => Add(socket, watcher, isListening: false);

    /// <inheritdoc cref="SocketPoller.AddListening"/>
    /// <inheritdoc cref="Add(SafeHandle, ISocketWatcher)"/>
    public int AddListening(SafeHandle socket, ISocketWatcher watcher) => Add(socket, watcher, isListening: true);

    /// <summary>Has the watcher told of room for bytes too.</summary>
    public void WatchWritable(SafeHandle socket, int place) => _poller.WatchWritable(socket, place);

    /// <summary>The watcher may still be told of what had already happened; nobody else will be.</summary>
    public void Remove(SafeHandle socket, int place)
    {
        _poller.Remove(socket);
        Leave(place);
    }

    /// <summary>Has a watcher called as soon as possible, although its socket has not changed.</summary>
    public void Post(ISocketWatcher watcher)
    {
        _posted.Enqueue(watcher);
        // On the loop's own thread it comes to it before it waits again.
        if (_current != this) _poller.Wake();
    }

    /// <summary>Has a wait answered by the thread pool. On the loop's thread; it goes with the others of this round, for to wake the pool costs.</summary>
    public void ToPool(LoopWait wait) => _pooled.Enqueue(wait);

    public void Dispose()
    {
        _ended = true;
        _poller.Wake();
#pragma warning disable RS0030 // a loop disposes of nobody: the caller is another thread
        _thread.Join();
#pragma warning restore RS0030
        _poller.Dispose();
    }

    private void Run()
    {
        _current = this;
        LoopThread.Begin();
        var ready = new (int Place, SocketReadiness Readiness)[256];
        while (!_ended)
        {
            RecycleSlots();
            var count = _poller.Wait(ready, _again.Count > 0 || !_posted.IsEmpty ? 0 : Timeout.Infinite);
            for (var left = _again.Count; left > 0; left--) Tell(_again.Dequeue(), SocketReadiness.None);
            for (var i = 0; i < count; i++)
                if (Volatile.Read(ref _watchers)[ready[i].Place] is { } watcher) Tell(watcher, ready[i].Readiness);
            // Who posts itself anew meanwhile has its turn after the others.
            for (var left = _posted.Count; left > 0 && _posted.TryDequeue(out var watcher); left--) Tell(watcher, SocketReadiness.None);
            if (!_pooled.IsEmpty) AskPool();
        }
    }

    private void Tell(ISocketWatcher watcher, SocketReadiness readiness)
    {
        try
        {
            if (watcher.OnReady(readiness)) _again.Enqueue(watcher);
        }
        catch (Exception failure)
        {
            // One connection's bad luck must not be that of all others.
            _logger.SocketLoopFailed(failure);
        }
    }

    private void AskPool()
    {
        if (Interlocked.Exchange(ref _poolAsked, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>On the pool: one after the other, with the help of another thread as long as there are more.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _poolAsked, 0);
        if (!_pooled.TryDequeue(out var wait)) return;
        if (!_pooled.IsEmpty) AskPool();
        do wait.Answer();
        while (_pooled.TryDequeue(out wait));
    }

    private int Add(SafeHandle socket, ISocketWatcher watcher, bool isListening)
    {
        int place;
        lock (_gate)
        {
            if (!_free.TryPop(out place))
            {
                if (_count == _watchers.Length) Volatile.Write(ref _watchers, [.. _watchers, .. new ISocketWatcher?[_count]]);
                place = _count++;
            }
            _watchers[place] = watcher;
        }
        try
        {
            if (isListening) _poller.AddListening(socket, place);
            else _poller.Add(socket, place);
            return place;
        }
        catch
        {
            Leave(place);
            throw;
        }
    }

    private void Leave(int place)
    {
        lock (_gate)
        {
            _watchers[place] = null;
            _left.Add(place);
        }
    }

    /// <summary>Only between two waits: what the kernel has told by then may still name a place, and must not reach whoever has it next.</summary>
    private void RecycleSlots()
    {
        lock (_gate)
        {
            foreach (var place in _left) _free.Push(place);
            _left.Clear();
        }
    }
}
