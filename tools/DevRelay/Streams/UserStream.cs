using System.Net.Sockets;
using Piccolo.DevRelay.Protocol;
using Piccolo.DevRelay.Routing;

namespace Piccolo.DevRelay.Streams;

/// <summary>One user's connection inside a session: what flows each way, and how it ends. The session owns it and ends it exactly once.</summary>
// A cancellation source without timer and wait handle holds nothing that needs disposing, and late callers may still look at it.
#pragma warning disable CA1001
internal sealed class UserStream
#pragma warning restore CA1001
{
    private readonly UserConnection _user;
    private readonly RelayOptions _options;
    private readonly RelayFaults _faults;
    private readonly CancellationTokenSource _removed = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _writing;
    private long _lastWrite;

    public UserStream(Guid id, UserConnection user, UserRoute route, RelayOptions options, RelayFaults faults, Func<UserStream, long, bool> replenish)
    {
        Id = id;
        Route = route;
        _user = user;
        _options = options;
        _faults = faults;
        Since = options.Time.GetUtcNow();
        Forward = new ForwardBucket(options.Time);
        Reverse = new ReverseBuffer(WriteToUserAsync, credits => replenish(this, credits), options.Clocks, options.Time);
        _writing = Reverse.RunAsync();
    }

    public Guid Id { get; }

    public UserRoute Route { get; }

    public DateTimeOffset Since { get; }

    public ForwardBucket Forward { get; }

    public ReverseBuffer Reverse { get; }

    public PauseGate Gate { get; } = new();

    public ControlMessage Connect(long credits) => new("connect", Id)
    {
        ConnPort = _user.AdvertisedPort,
        ClientIp = _user.Client.ToString(),
        Transport = Nexus.Tcp,
        Hostname = Route.Key,
        IsTls = Route.IsTls,
        Credits = credits,
    };

    public StreamSnapshot Snapshot() => new(
        Id, Route.Key, _user.Client, _user.AdvertisedPort, Route.IsTls, Since, Reverse.Count, Reverse.Peak, Forward.Credits, Gate.IsPaused);

    /// <summary>Carries the prelude and then what the user sends, until the user finishes, idles, starves, or the session takes no more.</summary>
    /// <returns>Why it ended, for the log.</returns>
    public async Task<string> PumpAsync(ReadOnlyMemory<byte> prelude, Func<UserStream, ReadOnlyMemory<byte>, bool> send)
    {
        try
        {
            if (prelude.Length > 0 && !await ForwardAsync(prelude, send)) return "the prelude was not taken";
            var chunk = GC.AllocateUninitializedArray<byte>(Nexus.ChunkLimit);
            while (true)
            {
                var read = await ReadAsync(chunk);
                if (read is null) return "idle";
                if (read == 0) return "the user finished";
                if (!await ForwardAsync(chunk.AsMemory(0, read.Value), send)) return "starved or not taken";
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            return e.Message;
        }
    }

    /// <summary>Completes when writing to the user has failed; never while the stream lives well.</summary>
    public Task Writing => _writing;

    /// <summary>Completes when the user's socket is closed.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Flushes what is buffered for as long as the flush window and closes the user's socket.</summary>
    /// <param name="grace">From FIN to close, where the user is left half-open.</param>
    /// <param name="skip">Ends the grace early.</param>
    public async Task EndAsync(TimeSpan grace, CancellationToken skip = default)
    {
        await _removed.CancelAsync();
        Gate.Resume();
        await Reverse.EndAsync(_writing);
        if (Route.HalfCloses && grace > TimeSpan.Zero)
        {
            _user.Finish();
            await Task.WhenAny(Task.Delay(grace, _options.Time, skip));
        }

        _user.Dispose();
        _closed.TrySetResult();
    }

    private async ValueTask<bool> ForwardAsync(ReadOnlyMemory<byte> payload, Func<UserStream, ReadOnlyMemory<byte>, bool> send)
    {
        var patience = _options.IdleTimeout > TimeSpan.Zero ? _options.IdleTimeout : _options.Clocks.Starvation;
        return await Forward.TakeAsync(patience, _removed.Token) && send(this, payload);
    }

    /// <returns>Null when the user was idle for too long.</returns>
    private async ValueTask<int?> ReadAsync(Memory<byte> chunk)
    {
        while (true)
        {
            var from = _options.Time.GetTimestamp();
            await Gate.WaitAsync(_removed.Token);
            if (_options.IdleTimeout <= TimeSpan.Zero) return await _user.ReadAsync(chunk, CancellationToken.None);

            // The limit runs from before the pause, as the stock relay's socket deadline does: a long pause costs the stream.
            var left = _options.IdleTimeout - _options.Time.GetElapsedTime(from);
            if (left > TimeSpan.Zero)
            {
                using var idle = new CancellationTokenSource(left, _options.Time);
                try
                {
                    return await _user.ReadAsync(chunk, idle.Token);
                }
                catch (OperationCanceledException)
                {
                    // Fall through to the question whether the other direction was alive.
                }
            }

            if (Volatile.Read(ref _lastWrite) <= from) return null;
        }
    }

    private async ValueTask WriteToUserAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        await _faults.Users.WaitAsync(cancellationToken);
        if (_options.IdleTimeout <= TimeSpan.Zero)
        {
            await _user.WriteAsync(message, cancellationToken);
        }
        else
        {
            using var limit = new CancellationTokenSource(_options.IdleTimeout, _options.Time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            await _user.WriteAsync(message, both.Token);
        }

        Volatile.Write(ref _lastWrite, _options.Time.GetTimestamp());
    }
}
