using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>Why a connection to an app was ended by us.</summary>
internal enum AppConnectionEnd
{
    None,

    /// <summary>The client went away, or the answer is of no use to it.</summary>
    ClientAborted,

    /// <summary>The client's content ended early, or its framing is wrong: no answer to it is of use.</summary>
    ContentFailed,

    /// <summary>Neither side was heard for longer than <see cref="IngressOptions.ForwardIdleTimeout"/>.</summary>
    Silent,

    /// <summary>The client took nothing of the response for longer than <see cref="IngressOptions.SendTimeout"/>.</summary>
    SlowClient,

    /// <summary>All connections are closed: the box is locked.</summary>
    Dropped,
}

/// <summary>
/// A connection to an app, of one request after the other. It has a buffer only during a request. One request uses it at a time; <see cref="End"/> and
/// <see cref="EndIfSilent"/> may be called from any thread.
/// </summary>
internal sealed class AppConnection : IDisposable
{
    private readonly AppConnections _home;
    private readonly Lock _gate = new();
    private IMemoryOwner<byte>? _block;
    private byte[]? _larger;
    private HttpContext? _waitsForClient;
    private int _end;
    private int _gone;
    private long _lastActivity;
    private long _waitsSince;

    public AppConnection(Socket socket, AppConnectionKey key, AppConnections home)
    {
        (Key, _home) = (key, home);
        Touch();
        Socket = new LoopSocket(socket, key.Loop, () => _home.OnEnded(this));
    }

    public LoopSocket Socket { get; }

    public AppConnectionKey Key { get; }

    public ContentReader Content { get; } = new();

    public bool WasUsed { get; set; }

    public AppConnectionEnd EndedBecause => (AppConnectionEnd)Volatile.Read(ref _end);

    /// <summary>When something last went either way.</summary>
    public long LastActivity => Volatile.Read(ref _lastActivity);

    /// <summary>Room for a head. Until <see cref="ReleaseRequestState"/>.</summary>
    public Memory<byte> Buffer
    {
        get
        {
            if (_larger is not null) return _larger;
            _block ??= _home.Blocks.Rent();
            return _block.Memory;
        }
    }

    /// <summary>Makes the buffer four times as large; what is in it stays.</summary>
    /// <returns>False when it has the size that it may have.</returns>
    public bool TryGrow(int limit)
    {
        var old = Buffer;
        if (old.Length >= limit) return false;
        var larger = GC.AllocateArray<byte>(Math.Min(old.Length * 4, limit), pinned: true);
        old.CopyTo(larger);
        _larger = larger;
        return true;
    }

    /// <summary>Room for one direction's bytes.</summary>
    public IMemoryOwner<byte> RentBlock() => _home.Blocks.Rent();

    public void Touch() => Volatile.Write(ref _lastActivity, _home.Now);

    /// <summary>Gives back what only a request needs.</summary>
    public void ReleaseRequestState()
    {
        Content.Reset();
        ReturnBuffer();
    }

    /// <summary>Gives the buffer back; it is of no use for content.</summary>
    public void ReturnBuffer()
    {
        _larger = null;
        _block?.Dispose();
        _block = null;
    }

    /// <summary>Sends on what the client has not taken yet. While that lasts, the end of this connection is the end of the client's.</summary>
    /// <returns>False when the client has gone.</returns>
    public ValueTask<bool> FlushAsync(HttpContext client, PipeWriter writer)
    {
        var flush = writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompletedSuccessfully) return AwaitAsync(flush, client);
        var result = flush.Result;
        return ValueTask.FromResult(!result.IsCompleted && !result.IsCanceled);
    }

    /// <summary>Breaks the connection off. Whoever uses it learns it by an exception at its next step.</summary>
    public void End(AppConnectionEnd why)
    {
        Interlocked.CompareExchange(ref _end, (int)why, (int)AppConnectionEnd.None);
        // A client that has gone needs no more.
        if (why is not (AppConnectionEnd.ClientAborted or AppConnectionEnd.ContentFailed)) lock (_gate) _waitsForClient?.Abort();
        Socket.Abort();
    }

    /// <summary>How long ago something last went either way; to a period of the sweep.</summary>
    public TimeSpan Idle => _home.Since(LastActivity);

    public void EndIfSilent(TimeSpan limit)
    {
        if (_home.Since(LastActivity) > limit) End(AppConnectionEnd.Silent);
    }

    /// <summary>
    /// Ends it when the client has taken nothing for this long. Kestrel's own deadline is not enough: over HTTP/2 it stops when more is written to a stream
    /// that already waits for its window (10.0.12).
    /// </summary>
    public void EndIfClientIsSlow(TimeSpan limit)
    {
        var since = Volatile.Read(ref _waitsSince);
        if (since != 0 && _home.Since(since) > limit) End(AppConnectionEnd.SlowClient);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _gone, 1) != 0) return;
        _home.Forget(this);
        Socket.Dispose();
    }

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> AwaitAsync(ValueTask<System.IO.Pipelines.FlushResult> flush, HttpContext client)
    {
        lock (_gate) _waitsForClient = client;
        Volatile.Write(ref _waitsSince, _home.Now);
        try
        {
            // Ended in between: nobody else would wake this up.
            if (EndedBecause is AppConnectionEnd.Silent or AppConnectionEnd.SlowClient or AppConnectionEnd.Dropped) client.Abort();
            var result = await flush;
            Touch();
            return !result.IsCompleted && !result.IsCanceled;
        }
        finally
        {
            Volatile.Write(ref _waitsSince, 0);
            // From here on the context may soon be that of another request.
            lock (_gate) _waitsForClient = null;
        }
    }
}
