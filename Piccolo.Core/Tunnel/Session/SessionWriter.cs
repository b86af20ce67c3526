using System.Net.WebSockets;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// The one sender of a session. Control goes first; data goes by turns of a few messages, one stream after the other, so that no download delays another.
/// Posting never waits.
/// </summary>
internal sealed class SessionWriter(RelaySocket socket, NexusToken token, TunnelOptions options, TimeProvider time, TunnelTraffic traffic)
{
    /// <summary>What is owed to the relay beyond this ends the session: it asks faster than it takes answers.</summary>
    public const int MaxQueuedControl = 8192;

    /// <summary>Beyond this, answers that only help the relay to clean up are left out.</summary>
    public const int MaxQueuedCourtesies = 1024;

    private const int MessagesPerTurn = 4;
    private const int BatchesPerThread = 4;
    private const int MaxDataMessageBytes = NexusFrameCodec.DataHeaderLength + NexusFrameCodec.MaxPayloadBytes;

    private readonly Lock _gate = new();
    private readonly Queue<Control> _control = new();
    private readonly Queue<TunnelStream> _turns = new();
    private readonly ValueTaskAutoResetEvent _work = new();
    private bool _ended;

    /// <returns>False when the relay owes us so much reading that the session is beyond hope.</returns>
    public bool Post(ControlMessage message) => Post(new Control { Message = message }, MaxQueuedControl);

    /// <returns>False when it was left out.</returns>
    public bool PostCourtesy(ControlMessage message) => Post(new Control { Message = message }, MaxQueuedCourtesies);

    public bool PostGrant(TunnelStream stream) => Post(new Control { Grant = stream }, MaxQueuedControl);

    public void PostReauthentication(string nonce) => Post(new Control { Nonce = nonce }, MaxQueuedCourtesies);

    /// <summary>Everything posted so far goes out first.</summary>
    public void PostClose(WebSocketCloseStatus status) => Post(new Control { Close = status }, MaxQueuedControl);

    /// <summary>Asks for a turn; <see cref="TunnelStream.EndTurn"/> is called exactly once for it, also when the session ends first.</summary>
    /// <returns>False when no turn will come.</returns>
    public bool Schedule(TunnelStream stream)
    {
        lock (_gate)
        {
            if (_ended) return false;
            _turns.Enqueue(stream);
        }
        // The thread that has just written the bytes sends them, unless another is sending already.
        _work.SetInline();
        return true;
    }

    /// <summary>Sends until the session ends. Never throws for what the relay does.</summary>
    /// <returns>Why the sending ended; null after a goodbye.</returns>
    public async Task<TunnelFailure?> RunAsync(CancellationToken cancellationToken)
    {
        var stalled = false;
        await using var deadline = time.CreateTimer(_ => { stalled = true; socket.Abort(); }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using var stopping = cancellationToken.Register(_work.Set);
        socket.OnDue(_work.Set);
        var batches = 0;
        try
        {
            while (true)
            {
                var isLast = Compose();
                if (socket.HasOutput)
                {
                    deadline.Change(options.WriteTimeout, Timeout.InfiniteTimeSpan);
                    await socket.FlushAsync(CancellationToken.None);
                    deadline.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    if (isLast) return null;
                    // The thread is borrowed from whoever had something to send: it must not send for all the others for ever.
                    if (++batches % BatchesPerThread == 0) await Task.Yield();
                }
                else
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    await _work.WaitAsync();
                    batches = 0;
                }
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
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

    /// <summary>As much as goes out together. Whatever waits longest behind it has waited for less than three full messages.</summary>
    /// <returns>Whether nothing may follow.</returns>
    private bool Compose()
    {
        socket.AddDue();
        while (socket.HasRoom && TryNext(out var control, out var stream))
        {
            if (stream is not null)
            {
                AddTurn(stream);
                continue;
            }
            if (control.Close is { } status)
            {
                socket.AddClose(status);
                return true;
            }
            AddControl(control);
        }
        return false;
    }

    private bool TryNext(out Control control, out TunnelStream? stream)
    {
        lock (_gate)
        {
            stream = null;
            return _control.TryDequeue(out control) || _turns.TryDequeue(out stream);
        }
    }

    private void AddTurn(TunnelStream stream)
    {
        try
        {
            for (var sent = 0; sent < MessagesPerTurn && socket.HasRoom; sent++)
            {
                var length = stream.FillMessage(socket.Room(MaxDataMessageBytes));
                if (length == 0) return;
                socket.Add(WebSocketOpcode.Binary, length);
                traffic.AddOut(length - NexusFrameCodec.DataHeaderLength);
            }
        }
        finally
        {
            stream.EndTurn();
        }
    }

    private void AddControl(Control control)
    {
        if (control.Message is { } message)
        {
            socket.Add(WebSocketOpcode.Binary, NexusFrameCodec.WriteControl(message));
        }
        else if (control.Grant is { } stream)
        {
            if (stream.TakeGrant() is > 0 and var credits)
                socket.Add(WebSocketOpcode.Binary, NexusFrameCodec.WriteControl(ControlMessage.Grant(stream.Key, credits)));
        }
        else if (control.Nonce is { } nonce)
        {
            socket.Add(WebSocketOpcode.Text, System.Text.Encoding.UTF8.GetBytes(token.Attest(nonce)));
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
