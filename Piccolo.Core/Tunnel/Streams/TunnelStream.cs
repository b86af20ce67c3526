using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using Piccolo.Core.Tunnel.Session;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// One user connection. The session's reader puts in what the user sends and never waits for it; a loop of the stream's own asks the session's writer for
/// turns, and only within its turn the writer takes bytes out.
/// </summary>
internal sealed partial class TunnelStream : ITunnelStream
{
    /// <summary>What may wait between the app and the session's writer: eight messages. Above it the app's flush waits.</summary>
    private const int OutputLimitBytes = 8 * NexusFrameCodec.MaxPayloadBytes;

    private static readonly PipeOptions InputPipe = new(pauseWriterThreshold: 0, useSynchronizationContext: false);

    // The loop that asks for a turn does so on the thread of the app's flush: it only enters a queue.
    private static readonly PipeOptions OutputPipe = new(
        readerScheduler: PipeScheduler.Inline, pauseWriterThreshold: OutputLimitBytes, resumeWriterThreshold: OutputLimitBytes / 2,
        minimumSegmentSize: Segment, useSynchronizationContext: false);

    /// <summary>A TLS record fits in; an idle stream holds no segment at all.</summary>
    private const int Segment = 16 * 1024;


    private readonly RelaySession _session;
    private readonly StreamHead _head;
    private readonly Pipe _fromUser = new(InputPipe);
    private readonly Pipe _toUser = new(OutputPipe);
    private readonly ForwardLedger _ledger;
    private readonly ReverseCredits _credits;
    private readonly ValueTaskAutoResetEvent _turnEnded = new();
    private readonly CancellationTokenSource _stopSending = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _inputGate = new();
    private readonly ITimer _limit;
    private readonly Task _sending;
    private long _buffered;
    private bool _inputEnded;
    private bool _inputAbandoned;
    private volatile bool _closeOnceConsumed;
    private volatile string _reason = DisconnectReason.Normal;

    public TunnelStream(RelaySession session, StreamHead head)
    {
        _session = session;
        _head = head;
        _ledger = new ForwardLedger(session.Grants);
        _credits = new ReverseCredits(head.Credits);
        Idle = new StreamIdle(session.Time);
        Input = new TunnelInput(_fromUser.Reader, OnConsumed, OnInputAbandoned);
        Output = new TunnelOutput(_toUser.Writer, OnOutputCompleted);
        Id = $"{session.Number}/{head.Id}";
        Closed = _closed.Token;
        _limit = session.Time.CreateTimer(_ => OnDrainLimit(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _sending = SendAsync();
    }

    public string Id { get; }

    public StreamId Key => _head.Id;

    public StreamIdle Idle { get; }

    public string Hostname => _head.Hostname;

    public int Port => _head.Port;

    public bool IsTls => _head.IsTls;

    public IPEndPoint? Client => _head.Client;

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public CancellationToken Closed { get; }

    public void Abort() => Stop(DisconnectReason.LocalError);

    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync();
        await Output.CompleteAsync();
        await _sending;
    }

    /// <summary>From the session's reader: one message of the user.</summary>
    /// <returns>False when the relay sent more than it was granted and the stream must end.</returns>
    public bool OnData(ReadOnlySpan<byte> payload)
    {
        bool grant;
        lock (_inputGate)
        {
            if (_inputEnded) return true;
            Idle.Touch();
            if (!_ledger.TryReceive(payload.Length)) return false;
            if (_inputAbandoned || payload.IsEmpty)
            {
                grant = _ledger.Consume(_inputAbandoned ? payload.Length : 0);
            }
            else
            {
                if (!_session.TryBuffer(payload.Length)) return false;
                Interlocked.Add(ref _buffered, payload.Length);
                // In one piece, so that it is also handed on in one.
                payload.CopyTo(_fromUser.Writer.GetSpan(payload.Length));
                _fromUser.Writer.Advance(payload.Length);
                // Without a pause threshold a flush never waits; it only wakes the reader, on another thread.
                var flushed = _fromUser.Writer.FlushAsync();
                Debug.Assert(flushed.IsCompleted);
                grant = false;
            }
        }
        if (grant) _session.PostGrant(this);
        return true;
    }

    public void OnCredits(long credits)
    {
        _credits.Grant(credits);
        if (_isHolding) _toUser.Reader.CancelPendingRead();
    }

    public int TakeGrant() => _ledger.TakeGrant();

    /// <summary>Nothing has moved for a while.</summary>
    public void OnIdle() => _ledger.OnIdle();

    /// <summary>The session no longer has it.</summary>
    public void OnRemoved() => _ledger.End();

    /// <summary>The user or the relay has closed: what came before is still delivered, what we would send has no reader.</summary>
    public void OnRelayClosed()
    {
        EndInput(null);
        _closeOnceConsumed = true;
        if (_ledger.IsEmpty) FireClosed();
        else _limit.Change(_session.Options.StreamDrain, Timeout.InfiniteTimeSpan);
        _stopSending.Cancel();
    }

    /// <summary>Ends the stream at once; the session tells the relay, if the stream is still its.</summary>
    public void Stop(string reason)
    {
        _reason = reason;
        EndInput(new IOException($"The tunnel's stream has ended ({reason})."));
        _stopSending.Cancel();
        FireClosed();
    }

    private void OnConsumed(long bytes)
    {
        Interlocked.Add(ref _buffered, -bytes);
        _session.Unbuffer(bytes);
        if (_ledger.Consume(bytes)) _session.PostGrant(this);
        if (_closeOnceConsumed && _ledger.IsEmpty) FireClosed();
    }

    private void OnInputAbandoned()
    {
        long rest;
        lock (_inputGate)
        {
            // From here on the reader only counts: a user who sends to an app that no longer listens must not be starved of credit while it receives.
            _inputAbandoned = true;
            rest = Interlocked.Exchange(ref _buffered, 0);
        }
        if (rest > 0)
        {
            _session.Unbuffer(rest);
            if (_ledger.Consume(rest)) _session.PostGrant(this);
        }
        if (_closeOnceConsumed) FireClosed();
    }

    private void OnDrainLimit()
    {
        if (!_closeOnceConsumed) _reason = DisconnectReason.Timeout;
        _stopSending.Cancel();
        FireClosed();
    }

    private void EndInput(Exception? failure)
    {
        lock (_inputGate)
        {
            if (_inputEnded) return;
            _inputEnded = true;
            _fromUser.Writer.Complete(failure);
        }
    }

    // Whoever listens runs on a thread of the pool, never on the session's reader.
    private void FireClosed()
    {
        _limit.Dispose();
        _ = _closed.CancelAsync();
    }
}

/// <summary>What the relay tells about a stream when it opens it, checked.</summary>
internal sealed record StreamHead(StreamId Id, string Hostname, int Port, bool IsTls, IPEndPoint? Client, long Credits);
