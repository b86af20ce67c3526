using System.Net.Sockets;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;

namespace Piccolo.Api.Ingress.PassThrough;

/// <summary>A splice that runs.</summary>
internal interface ISplice : IDisposable
{
    Task<SpliceResult> RunAsync();

    /// <summary>Ends both directions. The first reason stays.</summary>
    void End(SpliceEnd reason);
}

/// <summary>One running splice over pipes: two copies that end apart, unless one of them breaks.</summary>
internal sealed class SpliceCopy : ISplice
{
    private const int Much = 16 * 1024;

    private readonly PipeSpliceClient _client;
    private readonly Socket _upstream;
    private readonly TimeSpan _idleTimeout;
    private readonly TimeSpan _sendTimeout;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationToken _ended;
    private int _end = -1;
    private long _bytesToUpstream;
    private long _bytesToClient;

    public SpliceCopy(PipeSpliceClient client, Socket upstream, IngressOptions options, TimeProvider time)
    {
        (_client, _upstream, _idleTimeout, _sendTimeout, _time) = (client, upstream, options.SpliceIdleTimeout, options.SendTimeout, time);
        _ending = new CancellationTokenSource(_idleTimeout, time);
        _ended = _ending.Token;
    }

    public async Task<SpliceResult> RunAsync()
    {
        // Both are awaited: whichever ends first has only ended its own direction.
        await Task.WhenAll(GuardAsync(CopyToUpstreamAsync), GuardAsync(CopyToClientAsync));
        // It must not look to the app as if it had said everything. What the relay tells of its users makes no such difference.
        if (_client.IsBroken) _upstream.Break();
        return new SpliceResult(_end < 0 ? SpliceEnd.Completed : (SpliceEnd)_end, _bytesToUpstream, _bytesToClient);
    }

    public void End(SpliceEnd reason)
    {
        if (Interlocked.CompareExchange(ref _end, (int)reason, -1) == -1) _ending.Cancel();
    }

    public void Dispose() => _ending.Dispose();

    private async Task GuardAsync(Func<Task> copyAsync)
    {
        try
        {
            await copyAsync();
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // No reason yet: it was the timer.
            End(SpliceEnd.Idle);
        }
        catch (TimeoutException)
        {
            End(SpliceEnd.Stalled);
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            End(SpliceEnd.Reset);
        }
    }

    private async Task CopyToUpstreamAsync()
    {
        while (true)
        {
            var result = await _client.Input.ReadAsync(_ended);
            foreach (var segment in result.Buffer) await SendAsync(segment);
            _client.Input.AdvanceTo(result.Buffer.End);
            Touch();
            if (result.IsCompleted || result.IsCanceled) break;
        }
        if (_client.IsBroken) End(SpliceEnd.Reset);
        else _upstream.Shutdown(SocketShutdown.Send);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var sent = await _upstream.SendAsync(bytes, SocketFlags.None, _ended);
            _bytesToUpstream += sent;
            bytes = bytes[sent..];
        }
    }

    private async Task CopyToClientAsync()
    {
        var received = 0;
        while (true)
        {
            // Waiting with an empty buffer: thousands of idle connections hold none. In the middle of much there is more, and no need to ask first.
            if (received < Much) await _upstream.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, _ended);
            received = await _upstream.ReceiveAsync(_client.GetBuffer(), SocketFlags.None, _ended);
            if (received == 0) break;
            _bytesToClient += received;
            var sending = _client.SendAsync(received, _ended);
            var taken = sending.IsCompleted ? await sending : await sending.AsTask().WaitAsync(_sendTimeout, _time);
            Touch();
            if (taken) continue;
            End(SpliceEnd.Reset);
            return;
        }
        await _client.EndAsync(_ended);
        // A client that cannot half-close has now got its end; what it still sends has nobody to go to.
        if (!_client.CanHalfClose) End(SpliceEnd.Completed);
    }

    private void Touch()
    {
        if (!_ended.IsCancellationRequested) _ending.CancelAfter(_idleTimeout);
    }
}
