using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Piccolo.DevRelay.Protocol;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Hub;

/// <summary>One accepted backend: its streams, its writer and its reader.</summary>
internal sealed partial class Session : IDisposable
{
    private readonly RelayOptions _options;
    private readonly RelayFaults _faults;
    private readonly ServerWebSocket _socket;
    private readonly RelayCounters _counters;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<Guid, UserStream> _streams = new();
    private readonly Lanes _lanes = new();
    private readonly Channel<byte[]> _answers = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ITimer _silence;
    private readonly CancellationToken _teardown;
    private volatile bool _stranded;
    private string? _cause;

    public Session(long id, IPEndPoint backend, SessionGrant grant, ServerWebSocket socket, RelayOptions options, RelayFaults faults, RelayCounters counters,
        ILogger logger)
    {
        Id = id;
        Backend = backend;
        Grant = grant;
        _teardown = _ended.Token;
        Since = options.Time.GetUtcNow();
        _socket = socket;
        _options = options;
        _faults = faults;
        _counters = counters;
        _logger = logger;
        _socket.Gate = faults.Sending;
        _silence = options.Time.CreateTimer(_ => End("silent for too long"), null, options.Clocks.Silence, Timeout.InfiniteTimeSpan);
        _socket.Pong = Touch;
    }

    public long Id { get; }

    public IPEndPoint Backend { get; }

    public SessionGrant Grant { get; private set; }

    public DateTimeOffset Since { get; }

    /// <summary>Fires when the session ends; then nothing more is sent on it.</summary>
    public CancellationToken Ended => _teardown;

    public SessionSnapshot Snapshot() => new(
        Id, Backend, Since, Grant.Hostnames, Grant.TcpPorts, Grant.Weight, Volatile.Read(ref _reauthentications),
        [.. _streams.Values.Select(s => s.Snapshot())]);

    /// <summary>Serves until either side ends it.</summary>
    /// <returns>The cause, for the log.</returns>
    public async Task<string> RunAsync(CancellationToken stopping)
    {
        using var stop = stopping.Register(() => End("the relay stops"));
        await Task.WhenAll(GuardAsync(ReadAsync), GuardAsync(WriteAsync), GuardAsync(PingAsync), GuardAsync(ReauthenticateAsync));
        return _cause!;
    }

    /// <summary>Ends the session without a close frame; the first cause stays.</summary>
    public void End(string cause)
    {
        if (Interlocked.CompareExchange(ref _cause, cause, null) is null) _ended.Cancel();
    }

    /// <summary>
    /// The way to the backend is gone and nobody was told: what is sent arrives nowhere, nothing
    /// is heard, not even the end of the connection. The session stays
    /// in the pools with its weight until it has been silent for too long.
    /// </summary>
    public void Strand() => _stranded = _socket.Discards = true;

    /// <summary>Queues a message as it is, for faults.</summary>
    public bool Inject(bool text, ReadOnlyMemory<byte> message) => text ? _lanes.TryChallenge(message) : _lanes.TryControl(message);

    public void Dispose()
    {
        _silence.Dispose();
        _ended.Dispose();
    }

    private void Touch()
    {
        if (!_stranded) _silence.Change(_options.Clocks.Silence, Timeout.InfiniteTimeSpan);
    }

    private async ValueTask<WebSocketMessage> ReceiveAsync()
    {
        WebSocketMessage message = default;
        try
        {
            message = await _socket.ReceiveAsync(_teardown);
        }
        catch (IOException) when (_stranded)
        {
            // A relay behind a dead way does not hear of a reset either.
        }

        if (_stranded) await Task.Delay(Timeout.InfiniteTimeSpan, _options.Time, _teardown);
        return message;
    }

    private async Task GuardAsync(Func<Task> loop)
    {
        try
        {
            await loop();
        }
        catch (OperationCanceledException) when (_teardown.IsCancellationRequested)
        {
            // Another loop has ended the session.
        }
        catch (Exception e)
        {
            // The top of a loop: whatever stops one of them ends the session, or it would live on by half.
            if (e is not (IOException or ObjectDisposedException or System.Net.Sockets.SocketException)) _logger.ConnectionFailed(e);
            End(e.Message);
        }
    }

    private async Task ReadAsync()
    {
        _socket.ReceiveLimit = Nexus.ReceiveLimit;
        while (true)
        {
            var message = await ReceiveAsync();
            if (message.IsEnd)
            {
                if (message.CloseCode is { } code and not ServerWebSocket.GoingAway)
                {
                    _counters.Add(RelayCount.ClosesUnexpected);
                    _logger.CloseUnexpected(Id, code);
                }

                End(message.End!);
                return;
            }

            Touch();
            _counters.Add(RelayCount.MessagesFromBackend);
            _counters.Add(RelayCount.BytesFromBackend, message.Payload.Length);
            if (_options.Transcript is { } transcript)
                transcript(new TranscriptEntry(Id, true, message.Opcode is WebSocketOpcode.Text, message.Payload.ToArray()));
            if (message.Opcode is WebSocketOpcode.Text) TakeAnswer(message.Payload);
            else Dispatch(message.Payload);
        }
    }

    /// <summary>
    /// On a thread of its own: among the pool's work of hundreds of users who come at once, a
    /// writer that waits for its turn would let the lanes overflow, which the
    /// stock relay's, scheduled as fairly as any user, does not.
    /// </summary>
    private Task WriteAsync() => Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Write()
    {
        while (true)
        {
            var next = _lanes.Take(_teardown);
            _counters.Add(RelayCount.MessagesToBackend);
            _counters.Add(RelayCount.BytesToBackend, next.Payload.Length);
            // Noted before it is sent: the backend's answer may be quicker than this loop.
            _options.Transcript?.Invoke(new TranscriptEntry(Id, false, next.Opcode is WebSocketOpcode.Text, next.Payload));
            var sending = _socket.SendAsync(next.Opcode, next.Payload, _teardown).AsTask();
            if (!sending.IsCompleted) _lanes.HoldUp(true);
            sending.GetAwaiter().GetResult();
            _lanes.HoldUp(false);
        }
    }

    private async Task PingAsync()
    {
        while (true)
        {
            await Task.Delay(_options.Clocks.Ping, _options.Time, _teardown);
            await _socket.SendAsync(WebSocketOpcode.Ping, default, _teardown);
        }
    }
}
