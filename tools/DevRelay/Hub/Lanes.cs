using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

/// <summary>A message that waits for the session's writer.</summary>
internal readonly record struct Outgoing(WebSocketOpcode Opcode, ReadOnlyMemory<byte> Payload);

/// <summary>
/// The two outgoing queues of a session. Each holds 256 messages and refuses the next; the writer is given them in turn, so that neither starves.
/// Thread-safe for any number of producers and one consumer.
/// </summary>
// A semaphore whose wait handle nobody asks for holds nothing that needs disposing, and late producers may still release it.
#pragma warning disable CA1001
internal sealed class Lanes
#pragma warning restore CA1001
{
    private const int Much = Nexus.LaneLimit / 2;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _waiting = new(0);
    private readonly Queue<Outgoing> _control = new();
    private readonly Queue<Outgoing> _data = new();
    private TaskCompletionSource? _turn;
    private bool _dataLast;
    private bool _heldUp;

    /// <summary>The writer waits for the backend to take what it sends, or no longer does.</summary>
    public void HoldUp(bool holds)
    {
        lock (_lock)
        {
            _heldUp = holds;
            if (holds) LetGo();
        }
    }

    public bool TryControl(ReadOnlyMemory<byte> message) => TryAdd(_control, new Outgoing(WebSocketOpcode.Binary, message));

    public bool TryChallenge(ReadOnlyMemory<byte> text) => TryAdd(_control, new Outgoing(WebSocketOpcode.Text, text));

    /// <summary>For all that must keep its order: connect, data, disconnect.</summary>
    public bool TryData(ReadOnlyMemory<byte> message) => TryAdd(_data, new Outgoing(WebSocketOpcode.Binary, message));

    public async ValueTask<Outgoing> TakeAsync(CancellationToken cancellationToken)
    {
        await _waiting.WaitAsync(cancellationToken);
        return Next();
    }

    /// <summary>The same for a writer with a thread of its own.</summary>
    public Outgoing Take(CancellationToken cancellationToken)
    {
        _waiting.Wait(cancellationToken);
        return Next();
    }

    /// <summary>
    /// Asked before a user is announced: waits while much is there that the writer, not held up
    /// by the backend, has only had no processor for. The stock relay's
    /// scheduler runs a woken writer before the next of the users; an operating system's does not, and hundreds who come at once would overflow the lane. What
    /// users send or that they leave waits for nobody: there the lane overflows as the stock relay's does.
    /// </summary>
    public async ValueTask WriterTurnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task turn;
            lock (_lock)
            {
                if (_heldUp || _data.Count < Much) return;
                turn = (_turn ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await turn.WaitAsync(cancellationToken);
        }
    }

    private Outgoing Next()
    {
        lock (_lock)
        {
            _dataLast = _control.Count == 0 || (_data.Count > 0 && !_dataLast);
            var next = (_dataLast ? _data : _control).Dequeue();
            if (_data.Count < Much) LetGo();
            return next;
        }
    }

    private void LetGo()
    {
        _turn?.TrySetResult();
        _turn = null;
    }

    private bool TryAdd(Queue<Outgoing> lane, Outgoing message)
    {
        lock (_lock)
        {
            if (lane.Count >= Nexus.LaneLimit) return false;
            lane.Enqueue(message);
        }

        _waiting.Release();
        return true;
    }
}
