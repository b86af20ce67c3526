using System.Threading.Channels;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Streams;

/// <summary>
/// What waits toward one user: 128 messages, written by a loop of its own, so that a user who does not read holds up nobody else. Every 8 written messages
/// go back to the backend as credits; a grant that cannot be queued is kept and tried again.
/// </summary>
// A cancellation source without timer and wait handle holds nothing that needs disposing, and late callers may still look at it.
#pragma warning disable CA1001
internal sealed class ReverseBuffer(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, Func<long, bool> replenish, RelayClocks clocks,
    TimeProvider time)
#pragma warning restore CA1001
{
    private readonly Channel<ReadOnlyMemory<byte>> _queue =
        Channel.CreateBounded<ReadOnlyMemory<byte>>(Nexus.UserBuffer);

    private readonly CancellationTokenSource _cut = new();
    private volatile bool _ending;
    private Task<bool>? _more;
    private int _peak;

    public int Count => _queue.Reader.Count;

    public int Peak => Volatile.Read(ref _peak);

    /// <summary>Queues a message without waiting; the bytes must not change afterwards.</summary>
    /// <returns>False when 128 already wait or the stream ends.</returns>
    public bool TryAdd(ReadOnlyMemory<byte> message)
    {
        if (!_queue.Writer.TryWrite(message)) return false;
        var count = _queue.Reader.Count;
        if (count > Peak) Volatile.Write(ref _peak, count);
        return true;
    }

    /// <summary>Writes until <see cref="EndAsync"/>; a write that fails ends it with that exception.</summary>
    public async Task RunAsync()
    {
        var unreturned = 0L;
        var refused = 0L;
        try
        {
            while (await NextAsync(unreturned >= Nexus.ReplenishBatch))
            {
                if (_queue.Reader.TryRead(out var message))
                {
                    await write(message, _cut.Token);
                    unreturned++;
                }

                if (unreturned < Nexus.ReplenishBatch || _ending) continue;
                if (refused != 0 && time.GetElapsedTime(refused) < clocks.ReplenishGap) continue;
                var taken = replenish(unreturned);
                refused = taken ? 0 : time.GetTimestamp();
                if (taken) unreturned = 0;
            }
        }
        catch (OperationCanceledException) when (_cut.IsCancellationRequested)
        {
            // The flush window has passed: the rest is lost, as in the stock relay.
        }
        finally
        {
            _queue.Writer.TryComplete();
        }
    }

    /// <summary>Takes nothing more, lets <paramref name="running"/> write what waits for as long as the flush window, then cuts it.</summary>
    public async Task EndAsync(Task running)
    {
        _ending = true;
        _queue.Writer.TryComplete();
        await Task.WhenAny(running, Task.Delay(clocks.Flush, time));
        await _cut.CancelAsync();
    }

    /// <summary>Waits for a message, or for the moment to try a held-back grant again.</summary>
    private async ValueTask<bool> NextAsync(bool owing)
    {
        if (_queue.Reader.Count > 0) return true;
        _more ??= _queue.Reader.WaitToReadAsync(_cut.Token).AsTask();
        if (owing && !_ending && await Task.WhenAny(_more, Task.Delay(clocks.ReplenishRetry, time, _cut.Token)) != _more) return true;
        var more = _more;
        _more = null;
        return await more;
    }
}
