using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Piccolo.Core.Tunnel;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>A relay in memory: the test is the user.</summary>
internal sealed class FakeTunnelStreamSource : ITunnelStreamSource
{
    private readonly Channel<ITunnelStream> _streams = Channel.CreateUnbounded<ITunnelStream>();
    private int _opened;

    public async ValueTask<ITunnelStream?> AcceptAsync(CancellationToken cancellationToken) => await _streams.Reader.ReadAsync(cancellationToken);

    public FakeTunnelStream Open(string hostname, int port, bool isTls, IPEndPoint? client = null)
    {
        var stream = new FakeTunnelStream($"s1/{Interlocked.Increment(ref _opened)}", hostname, port, isTls, client);
        Assert.That(_streams.Writer.TryWrite(stream), Is.True);
        return stream;
    }
}

internal sealed class FakeTunnelStream : ITunnelStream
{
    private readonly Pipe _fromUser = new();
    private readonly Pipe _toUser = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeTunnelStream(string id, string hostname, int port, bool isTls, IPEndPoint? client)
    {
        (Id, Hostname, Port, IsTls, Client) = (id, hostname, port, isTls, client);
        User = new DuplexStream(_toUser.Reader.AsStream(), _fromUser.Writer.AsStream());
    }

    public string Id { get; }

    public string Hostname { get; }

    public int Port { get; }

    public bool IsTls { get; }

    public IPEndPoint? Client { get; }

    public CancellationToken Closed => _closed.Token;

    public PipeReader Input => _fromUser.Reader;

    public PipeWriter Output => _toUser.Writer;

    /// <summary>The user's end.</summary>
    public Stream User { get; }

    /// <summary>Completes when our side has disposed or aborted the stream.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The user closes the browser: the relay's protocol knows no half-close, so everything ends at once.</summary>
    public async Task VanishAsync()
    {
        await _fromUser.Writer.CompleteAsync();
        await _toUser.Reader.CompleteAsync();
        await _closed.CancelAsync();
    }

    public void Abort()
    {
        _closed.Cancel();
        _ended.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _fromUser.Reader.CompleteAsync();
        await _toUser.Writer.CompleteAsync();
        _ended.TrySetResult();
    }
}
