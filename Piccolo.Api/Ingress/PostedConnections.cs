using System.Net;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Connections that the server has begun to serve before their clients are there: each waits at the front of its middleware (ADR 0018). There are always
/// some; they are made many at a time, for to wake a thread costs more than to make one. Thread-safe.
/// </summary>
internal sealed class PostedConnections(EndPoint local, SocketConnections connections)
{
    private const int Most = 32;
    private const int Few = Most / 2;

    private readonly Lock _gate = new();
    private readonly Stack<LazySocketConnection> _waiting = new();
    private readonly HashSet<LoopAcceptor> _idle = [];
    private TaskCompletionSource? _few;
    private bool _isFull;
    private bool _isClosed;

    /// <summary>One more, as soon as there are few. Only for one caller at a time.</summary>
    /// <returns>Null after <see cref="Close"/>.</returns>
    public async ValueTask<LazySocketConnection?> PostAsync()
    {
        while (true)
        {
            Task few;
            lock (_gate)
            {
                if (_isClosed) return null;
                if (!_isFull) return Post();
                _few ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                few = _few.Task;
            }
            await few;
        }
    }

    /// <returns>Null when there is none: the acceptor goes on as soon as there is one.</returns>
    public LazySocketConnection? TakeFor(LoopAcceptor acceptor)
    {
        lock (_gate)
        {
            if (!_waiting.TryPop(out var connection)) _idle.Add(acceptor);
            if (_waiting.Count <= Few) Refill();
            return connection;
        }
    }

    /// <summary>Takes back one for which nobody was there.</summary>
    public void GiveBack(LazySocketConnection connection)
    {
        lock (_gate)
        {
            _waiting.Push(connection);
            if (!_isClosed) return;
        }
        Close();
    }

    /// <summary>Nobody comes any more.</summary>
    public void Close()
    {
        LazySocketConnection[] waiting;
        lock (_gate)
        {
            _isClosed = true;
            waiting = [.. _waiting];
            _waiting.Clear();
            Refill();
        }
        foreach (var connection in waiting) connection.StayAway();
    }

    private LazySocketConnection Post()
    {
        var connection = connections.Await(local);
        _waiting.Push(connection);
        _isFull = _waiting.Count >= Most;
        foreach (var acceptor in _idle) acceptor.GoOn();
        _idle.Clear();
        return connection;
    }

    private void Refill()
    {
        _isFull = false;
        _few?.TrySetResult();
        _few = null;
    }
}
