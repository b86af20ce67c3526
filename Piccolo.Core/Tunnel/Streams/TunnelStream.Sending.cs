using System.Buffers;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>The way to the user: wait for bytes, for credit, for a turn; at the end make sure that the last bytes arrived.</summary>
internal sealed partial class TunnelStream
{
    /// <summary>
    /// With so many messages under way, only full ones follow until some have arrived. Credits count messages, so that a far user of many small ones would
    /// get a small part of the window.
    /// </summary>
    private const int ManyUnderWay = ForwardLedger.Window / 2;

    private int _padding;
    private volatile bool _isHolding;

    /// <summary>Within a turn: the next message, header and payload, filled as far as the app has written.</summary>
    /// <returns>Its length, or 0 when there is nothing to send or no credit for it.</returns>
    public int FillMessage(Span<byte> message)
    {
        if (_stopSending.IsCancellationRequested) return 0;
        var onlyFull = _padding == 0 && _credits.Unacknowledged >= ManyUnderWay;
        if (!_credits.TryTake()) return 0;
        if (_padding > 0)
        {
            _padding--;
            NexusFrameCodec.WriteDataHeader(message, _head.Id);
            return NexusFrameCodec.DataHeaderLength;
        }
        if (!_toUser.Reader.TryRead(out var read))
        {
            _credits.Return();
            return 0;
        }
        if (read.Buffer.IsEmpty || (onlyFull && read.Buffer.Length < NexusFrameCodec.MaxPayloadBytes && !read.IsCompleted))
        {
            _toUser.Reader.AdvanceTo(read.Buffer.Start);
            _credits.Return();
            return 0;
        }
        var payload = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, NexusFrameCodec.MaxPayloadBytes));
        NexusFrameCodec.WriteDataHeader(message, _head.Id);
        payload.CopyTo(message[NexusFrameCodec.DataHeaderLength..]);
        Idle.Touch();
        var length = NexusFrameCodec.DataHeaderLength + (int)payload.Length;
        _toUser.Reader.AdvanceTo(payload.End);
        return length;
    }

    /// <summary>The stream's loop goes on within this call: it only enters the queue again, or waits.</summary>
    public void EndTurn() => _turnEnded.SetInline();

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                var read = await _toUser.Reader.ReadAsync(_stopSending.Token);
                var isEmpty = read.Buffer.IsEmpty;
                if (isEmpty && read.IsCompleted)
                {
                    _toUser.Reader.AdvanceTo(read.Buffer.Start);
                    break;
                }
                if (isEmpty || MustHold(read.Buffer.Length, read.IsCompleted))
                {
                    // All is examined: the next read waits for more, or for a grant.
                    _toUser.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    continue;
                }
                // Nothing is examined, so that the next read, which is the writer's, returns the same bytes at once.
                _toUser.Reader.AdvanceTo(read.Buffer.Start);
                await TakeTurnAsync();
            }
            // After a disconnect the relay gives what it still holds for the user about 50 ms and drops the rest.
            await _credits.WaitForAcknowledgementAsync(ForwardLedger.Batch - 1, _stopSending.Token);
            await ConfirmTailAsync();
        }
        catch (OperationCanceledException)
        {
            // The reason says why.
        }
        await _toUser.Reader.CompleteAsync();
        _session.Finish(this, _reason);
        EndInput(null);
        if (!_closeOnceConsumed) FireClosed();
    }

    private bool MustHold(long length, bool isCompleted)
    {
        _isHolding = length < NexusFrameCodec.MaxPayloadBytes && !isCompleted;
        // Looked at after the flag is up: a grant that comes in between either is seen here or wakes the next read.
        return _isHolding && (_isHolding = _credits.Unacknowledged >= ManyUnderWay);
    }

    private async Task TakeTurnAsync()
    {
        _stopSending.Token.ThrowIfCancellationRequested();
        await _credits.WaitForBalanceAsync(_stopSending.Token);
        // The session sends no more and is about to stop this stream too.
        if (!_session.Schedule(this)) await Task.Delay(Timeout.InfiniteTimeSpan, _session.Time, _stopSending.Token);
        await _turnEnded.WaitAsync();
    }

    /// <summary>
    /// The relay acknowledges in batches of eight, so up to seven messages would stay unknown. Empty ones, which cost a credit and reach nobody, fill the
    /// batch: its acknowledgement says that all before them has reached the user's socket.
    /// </summary>
    private async Task ConfirmTailAsync()
    {
        var unknown = _credits.Unacknowledged;
        if (unknown == 0 || _credits.Balance < ForwardLedger.Batch - unknown) return;
        _padding = ForwardLedger.Batch - unknown;
        while (_padding > 0) await TakeTurnAsync();
        using var timeout = new CancellationTokenSource(_session.ConfirmsTails ? Timeout.InfiniteTimeSpan : _session.Options.TailConfirmation, _session.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopSending.Token);
        try
        {
            await _credits.WaitForAcknowledgementAsync(0, waiting.Token);
            _session.ConfirmsTails = true;
        }
        catch (OperationCanceledException) when (!_stopSending.IsCancellationRequested)
        {
            // This relay does not acknowledge empty messages: what one knows is that at most seven are under way.
        }
    }

    private void OnOutputCompleted(Exception? failure)
    {
        if (failure is not null) Stop(DisconnectReason.LocalError);
        else _limit.Change(_session.Options.StreamDrain, Timeout.InfiniteTimeSpan);
    }
}
