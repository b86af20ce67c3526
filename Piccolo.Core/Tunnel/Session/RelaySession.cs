using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.WebSockets;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// One authenticated WebSocket to the relay: opened, acknowledged, served by a reader that never waits for a stream and one writer, drained, closed.
/// Nothing of it outlives it: its streams end with it, and what was queued for it is sent nowhere else.
/// </summary>
internal sealed partial class RelaySession(int number, TunnelTarget target, long weight, SessionScope scope)
{
    private static readonly TimeSpan GoodbyeLimit = TimeSpan.FromSeconds(1);

    private readonly NexusToken _token = new(target, weight, scope.Options, scope.Time);
    private readonly ConcurrentDictionary<StreamId, TunnelStream> _streams = new();
    private readonly ChangeSignal _emptied = new();
    private readonly TaskCompletionSource _acknowledged = NewSource();
    private readonly TaskCompletionSource _measured = NewSource();
    private readonly TaskCompletionSource<TunnelFailure> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RelaySocket? _socket;
    private SessionWriter? _writer;
    private ImmutableSortedSet<string> _served = target.Hostnames;
    private TunnelFailure? _verdict;
    private string? _closeReason;
    private int _streamCount;
    private int _acceptedStreams;
    private long _accepted;
    private long _bufferedBytes;

    public int Number { get; } = number;

    public TunnelTarget Target { get; } = target;

    public long Weight { get; } = weight;

    public TunnelOptions Options => scope.Options;

    public TimeProvider Time => scope.Time;

    /// <summary>Completes, with the reason, once nothing of an opened session is left.</summary>
    public Task<TunnelFailure> Completion => _ended.Task;

    /// <summary>Completes once <see cref="RoundTrip"/> is known; never on relays that do not answer.</summary>
    public Task Measured => _measured.Task;

    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>The relay ended it, and gives it no more users; not known of one whose way was lost.</summary>
    public bool EndedByRelay { get; private set; }

    public DateTimeOffset AcceptedAt { get; private set; }

    /// <summary>Since the relay took it in, whatever the wall clock did meanwhile.</summary>
    public TimeSpan Age => Time.GetElapsedTime(_accepted);

    /// <summary>When what still runs is cut; null while the session is not being drained.</summary>
    public DateTimeOffset? DrainsUntil { get; private set; }

    public int StreamCount => Volatile.Read(ref _streamCount);

    private SessionWriter Writer => _writer!;

    /// <summary>Dials, authenticates and waits until the relay has shown that it took us in.</summary>
    /// <returns>Null when the session is accepted and runs.</returns>
    public async Task<TunnelFailure?> OpenAsync(Action<TunnelState> progress, CancellationToken cancellationToken)
    {
        progress(TunnelState.Connecting);
        (_socket, var failure) = await new RelayDialer(scope.Options, scope.Time).DialAsync(Target.Endpoint, cancellationToken);
        if (_socket is null) return failure;
        try
        {
            progress(TunnelState.Authenticating);
            failure = await NexusHandshake.RunAsync(_socket, _token, scope.Options, scope.Time, cancellationToken);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
        if (failure is not null)
        {
            _socket.Dispose();
            return failure;
        }
        _writer = new SessionWriter(_socket, _token, scope.Options, scope.Time, scope.Traffic);
        _ = PostProbe();
        _ = RunAsync(_socket);
        return await AwaitAcknowledgementAsync(cancellationToken);
    }

    /// <summary>From now on only users of these names are let in; the streams that run go on.</summary>
    public void Narrow(ImmutableSortedSet<string> served) => Volatile.Write(ref _served, served);

    /// <summary>Closes the session once its streams are gone and none has come for a while, or after the limit.</summary>
    /// <param name="quiet">How long that while is, asked each time that the last stream has ended.</param>
    public async Task DrainAsync(TimeSpan limit, Func<TimeSpan> quiet)
    {
        DrainsUntil = Time.GetUtcNow() + limit;
        using var waiting = new CancellationTokenSource();
        var empty = WaitUntilQuietAsync(quiet, waiting.Token);
        await Task.WhenAny(empty, Completion, Task.Delay(limit, Time, waiting.Token));
        await waiting.CancelAsync();
        await CloseAsync();
    }

    /// <summary>Until no stream runs, and none was on its way when the last one ended.</summary>
    public Task WaitUntilEmptyAsync(CancellationToken cancellationToken) => WaitUntilQuietAsync(NoQuiet, cancellationToken);

    /// <summary>Says goodbye (1001: the relay takes any other code for a fault of ours) and cuts what still runs. May be called again.</summary>
    public async Task CloseAsync()
    {
        if (_writer is null) return;
        Interlocked.CompareExchange(ref _verdict, TunnelFailure.ClosedByUs, null);
        Writer.PostClose(WebSocketCloseStatus.EndpointUnavailable);
        await Task.WhenAny(Completion, Task.Delay(GoodbyeLimit, Time));
        _socket!.Abort();
        await Completion;
    }

    private async Task<TunnelFailure?> AwaitAcknowledgementAsync(CancellationToken cancellationToken)
    {
        // No answer, but alive after a ping had to be answered: pings are answered by the same reader that answers us, after registration.
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timeout = Task.Delay(scope.Options.AcknowledgeTimeout, Time, waiting.Token);
        await Task.WhenAny(_acknowledged.Task, Completion, timeout);
        await waiting.CancelAsync();
        if (cancellationToken.IsCancellationRequested)
        {
            await CloseAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
        if (Completion.IsCompleted && !_acknowledged.Task.IsCompleted)
        {
            var end = await Completion;
            return end.Code == "lost" ? TunnelFailure.RefusedBecause(_closeReason) : end;
        }
        AcceptedAt = Time.GetUtcNow();
        _accepted = Time.GetTimestamp();
        if (_acknowledged.Task.IsCompleted) _ = PostProbe();
        else scope.Logger.AcceptedWithoutAcknowledgement(Number, scope.Options.AcknowledgeTimeout);
        return null;
    }

    private async Task RunAsync(RelaySocket socket)
    {
        TunnelFailure end;
        using (var stop = new CancellationTokenSource())
        {
            var writing = SendAsync(stop.Token);
            var receiving = ReceiveAsync(socket);
            var watching = Task.WhenAll(MeasureAsync(stop.Token), WatchStreamsAsync(stop.Token));
            await Task.WhenAny((Task)writing, receiving);
            var firstIsWriter = writing.IsCompleted && !receiving.IsCompleted;
            // A goodbye of ours is still answered; after anything else there is nothing to wait for.
            var goodbye = writing.IsCompleted && await writing is null;
            if (goodbye) await Task.WhenAny(Task.WhenAll((Task)writing, receiving), Task.Delay(GoodbyeLimit, Time, stop.Token));
            socket.Abort();
            await stop.CancelAsync();
            var sendingEnd = await writing;
            var receivingEnd = await receiving;
            await watching;
            // A stalled write cuts the socket, so that the reader may notice first: the cause is still the stall.
            end = _verdict ?? (firstIsWriter || sendingEnd == TunnelFailure.Stalled ? sendingEnd : null) ?? receivingEnd;
        }
        var cut = 0;
        foreach (var stream in _streams.Values)
        {
            if (!Remove(stream)) continue;
            stream.Stop(DisconnectReason.SessionEnded);
            cut++;
        }
        scope.History.StreamsAborted(cut);
        socket.Dispose();
        _ended.TrySetResult(end);
    }

    private async Task<TunnelFailure?> SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Writer.RunAsync(cancellationToken);
        }
        catch (Exception unexpected)
        {
            scope.Logger.SessionFailed(unexpected, Number);
            return TunnelFailure.Lost("an internal error");
        }
    }

    private async Task WaitUntilQuietAsync(Func<TimeSpan> quiet, CancellationToken cancellationToken)
    {
        while (true)
        {
            var seen = _emptied.Version;
            if (StreamCount > 0)
            {
                await _emptied.WaitAsync(seen, cancellationToken);
                continue;
            }
            var accepted = Volatile.Read(ref _acceptedStreams);
            // A session that accepts nobody any more needs no patience.
            if (!Volatile.Read(ref _served).IsEmpty && quiet() is var pause && pause > TimeSpan.Zero) await Task.Delay(pause, Time, cancellationToken);
            await AwaitPendingConnectsAsync(cancellationToken);
            if (StreamCount == 0 && Volatile.Read(ref _acceptedStreams) == accepted) return;
        }
    }

    private static TimeSpan NoQuiet() => TimeSpan.Zero;

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
