using System.Net.WebSockets;

namespace Piccolo.Core.Tunnel;

/// <summary>
/// The one sender of a session. Control goes first; data goes by turns of a few messages, one stream after the other, so that no download delays another.
/// Posting never waits.
/// </summary>
internal sealed class SessionWriter(RelaySocket socket, NexusToken token, NexusOptions options, TimeProvider time, TunnelTraffic traffic)
{
    /// <summary>What is owed to the relay beyond this ends the session: it asks faster than it takes answers.</summary>
    public const int ControlLimit = 8192;

    /// <summary>Beyond this, answers that only help the relay to clean up are left out.</summary>
    public const int CourtesyLimit = 1024;

    private const int MessagesPerTurn = 4;

    private readonly Lock _gate = new();
    private readonly Queue<Control> _control = new();
    private readonly Queue<TunnelStream> _turns = new();
    private readonly Pulse _work = new();
    private readonly byte[] _message = new byte[NexusFrameCodec.DataHeaderLength + NexusFrameCodec.MaxPayload];
    private bool _ended;

    /// <returns>False when the relay owes us so much reading that the session is beyond hope.</returns>
    public bool Post(ControlMessage message) => Post(new Control { Message = message }, ControlLimit);

    public void PostCourtesy(ControlMessage message) => Post(new Control { Message = message }, CourtesyLimit);

    public bool PostGrant(TunnelStream stream) => Post(new Control { Grant = stream }, ControlLimit);

    public void PostReauthentication(string nonce) => Post(new Control { Nonce = nonce }, CourtesyLimit);

    /// <summary>Everything posted so far goes out first.</summary>
    public void PostClose(WebSocketCloseStatus status) => Post(new Control { Close = status }, ControlLimit);

    /// <summary>Asks for a turn; <see cref="TunnelStream.EndTurn"/> is called exactly once for it, also when the session ends first.</summary>
    /// <returns>False when no turn will come.</returns>
    public bool Schedule(TunnelStream stream)
    {
        lock (_gate)
        {
            if (_ended) return false;
            _turns.Enqueue(stream);
        }
        _work.Set();
        return true;
    }

    /// <summary>Sends until the session ends. Never throws for what the relay does.</summary>
    /// <returns>Why the sending ended; null after a goodbye.</returns>
    public async Task<TunnelFailure?> RunAsync(CancellationToken cancellationToken)
    {
        var stalled = false;
        await using var deadline = time.CreateTimer(_ => { stalled = true; socket.Abort(); }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                if (TryNext(out var control, out var stream))
                {
                    deadline.Change(options.WriteTimeout, Timeout.InfiniteTimeSpan);
                    if (stream is not null) await SendTurnAsync(stream, deadline);
                    else if (control.Close is { } status) { await socket.SendCloseAsync(status, CancellationToken.None); return null; }
                    else await SendControlAsync(control);
                    deadline.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                }
                else
                {
                    await _work.WaitAsync(cancellationToken);
                }
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            return stalled ? TunnelFailure.Stalled : TunnelFailure.Lost(failure is OperationCanceledException ? null : failure.Message);
        }
        finally
        {
            End();
        }
    }

    /// <summary>No turn is given any more; those who wait for one are let go.</summary>
    public void End()
    {
        TunnelStream[] waiting;
        lock (_gate)
        {
            _ended = true;
            _control.Clear();
            waiting = [.. _turns];
            _turns.Clear();
        }
        foreach (var stream in waiting) stream.EndTurn();
    }

    private bool Post(Control control, int limit)
    {
        lock (_gate)
        {
            if (_ended) return true;
            if (_control.Count >= limit) return false;
            _control.Enqueue(control);
        }
        _work.Set();
        return true;
    }

    private bool TryNext(out Control control, out TunnelStream? stream)
    {
        lock (_gate)
        {
            stream = null;
            return _control.TryDequeue(out control) || _turns.TryDequeue(out stream);
        }
    }

    private bool HasControl()
    {
        lock (_gate) return _control.Count > 0;
    }

    private async Task SendTurnAsync(TunnelStream stream, ITimer deadline)
    {
        try
        {
            for (var sent = 0; sent < MessagesPerTurn; sent++)
            {
                var length = stream.FillMessage(_message);
                if (length == 0) return;
                await socket.SendBinaryAsync(_message.AsMemory(0, length), CancellationToken.None);
                traffic.AddOut(length - NexusFrameCodec.DataHeaderLength);
                if (HasControl()) return;
                deadline.Change(options.WriteTimeout, Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            stream.EndTurn();
        }
    }

    private async Task SendControlAsync(Control control)
    {
        if (control.Message is { } message)
        {
            await socket.SendBinaryAsync(NexusFrameCodec.WriteControl(message), CancellationToken.None);
        }
        else if (control.Grant is { } stream)
        {
            if (stream.TakeGrant() is > 0 and var credits)
                await socket.SendBinaryAsync(NexusFrameCodec.WriteControl(ControlMessage.Grant(stream.Key, credits)), CancellationToken.None);
        }
        else if (control.Nonce is { } nonce)
        {
            await socket.SendTextAsync(token.Attest(nonce), CancellationToken.None);
        }
    }

    private readonly record struct Control
    {
        public ControlMessage? Message { get; init; }

        public TunnelStream? Grant { get; init; }

        public string? Nonce { get; init; }

        public WebSocketCloseStatus? Close { get; init; }
    }
}
