using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

/// <summary>A message that waits for the session's writer.</summary>
internal readonly record struct Outgoing(WebSocketOpcode Opcode, ReadOnlyMemory<byte> Payload);

/// <summary>
/// The two outgoing queues of a session. Each holds 256 messages and refuses the next; the writer is given them in turn, so that neither starves.
/// Thread-safe for any number of producers and one consumer.
/// </summary>
internal sealed class Lanes
{
    private readonly Lock _lock = new();
    private readonly Queue<Outgoing> _control = new();
    private readonly Queue<Outgoing> _data = new();
    private TaskCompletionSource? _waiter;
    private bool _dataLast;

    public bool TryControl(ReadOnlyMemory<byte> message) => TryAdd(_control, new Outgoing(WebSocketOpcode.Binary, message));

    public bool TryChallenge(ReadOnlyMemory<byte> text) => TryAdd(_control, new Outgoing(WebSocketOpcode.Text, text));

    /// <summary>For all that must keep its order: connect, data, disconnect.</summary>
    public bool TryData(ReadOnlyMemory<byte> message) => TryAdd(_data, new Outgoing(WebSocketOpcode.Binary, message));

    public async ValueTask<Outgoing> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (_control.Count + _data.Count > 0)
                {
                    _dataLast = _control.Count == 0 || (_data.Count > 0 && !_dataLast);
                    return (_dataLast ? _data : _control).Dequeue();
                }

                _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                next = _waiter.Task;
            }

            await next.WaitAsync(cancellationToken);
        }
    }

    private bool TryAdd(Queue<Outgoing> lane, Outgoing message)
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            if (lane.Count >= Nexus.LaneLimit) return false;
            lane.Enqueue(message);
            waiter = _waiter;
            _waiter = null;
        }

        waiter?.TrySetResult();
        return true;
    }
}
