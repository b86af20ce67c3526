using System.Buffers;

namespace Piccolo.Core.Tunnel;

/// <summary>The way to the user: wait for bytes, for credit, for a turn; at the end make sure that the last bytes arrived.</summary>
internal sealed partial class TunnelStream
{
    private int _padding;

    /// <summary>Within a turn: the next message, header and payload, filled as far as the app has written.</summary>
    /// <returns>Its length, or 0 when there is nothing to send or no credit for it.</returns>
    public int FillMessage(Span<byte> message)
    {
        if (_stopSending.IsCancellationRequested || !_credits.TryTake()) return 0;
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
        if (read.Buffer.IsEmpty)
        {
            _toUser.Reader.AdvanceTo(read.Buffer.Start);
            _credits.Return();
            return 0;
        }
        var payload = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, NexusFrameCodec.MaxPayload));
        NexusFrameCodec.WriteDataHeader(message, _head.Id);
        payload.CopyTo(message[NexusFrameCodec.DataHeaderLength..]);
        var length = NexusFrameCodec.DataHeaderLength + (int)payload.Length;
        _toUser.Reader.AdvanceTo(payload.End);
        return length;
    }

    public void EndTurn() => _turnEnded.Set();

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                var read = await _toUser.Reader.ReadAsync(_stopSending.Token);
                var isEmpty = read.Buffer.IsEmpty;
                // Nothing is examined, so that the next read, which is the writer's, returns the same bytes at once.
                _toUser.Reader.AdvanceTo(read.Buffer.Start);
                if (isEmpty && read.IsCompleted) break;
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

    private async Task TakeTurnAsync()
    {
        _stopSending.Token.ThrowIfCancellationRequested();
        await _credits.WaitForBalanceAsync(_stopSending.Token);
        // The session sends no more and is about to stop this stream too.
        if (!_session.Schedule(this)) await Task.Delay(Timeout.InfiniteTimeSpan, _session.Time, _stopSending.Token);
        await _turnEnded.WaitAsync();
    }

    /// <summary>
    /// The relay acknowledges in batches of eight, so up to seven messages would stay unknown. Empty ones, which cost a credit and reach nobody, fill the batch:
    /// its acknowledgement says that all before them has reached the user's socket.
    /// </summary>
    private async Task ConfirmTailAsync()
    {
        var unknown = _credits.Unacknowledged;
        if (unknown == 0 || _credits.Balance < ForwardLedger.Batch - unknown) return;
        _padding = ForwardLedger.Batch - unknown;
        while (_padding > 0) await TakeTurnAsync();
        using var patience = new CancellationTokenSource(_session.ConfirmsTails ? Timeout.InfiniteTimeSpan : _session.Options.TailConfirmation, _session.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stopSending.Token);
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
