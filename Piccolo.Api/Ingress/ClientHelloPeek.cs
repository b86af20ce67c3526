using System.Collections.Frozen;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress;

/// <summary>Why a peek found no ClientHello.</summary>
internal enum PeekFailure
{
    None,

    /// <summary>Silent, or too slow.</summary>
    Timeout,

    /// <summary>The client went before it had said enough.</summary>
    Closed,

    NotTls,
    Malformed,
    TooLarge,

    /// <summary>Too many others are awaited already.</summary>
    Busy,
}

/// <summary>What a ClientHello asked for.</summary>
/// <param name="Alpn">The protocols that the client offers.</param>
internal readonly record struct PeekedHello(PeekFailure Failure, string? ServerName, ImmutableArray<string> Alpn)
{
    public static PeekedHello Failed(PeekFailure failure) => new(failure, null, []);

    /// <param name="hello">Any but one that needs more.</param>
    public static PeekedHello Of(in ClientHello hello) => new(FailureOf(hello.Verdict), hello.ServerName, hello.Alpn);

    private static PeekFailure FailureOf(ClientHelloVerdict verdict) => verdict switch
    {
        ClientHelloVerdict.Hello => PeekFailure.None,
        ClientHelloVerdict.NotTls => PeekFailure.NotTls,
        ClientHelloVerdict.TooLarge => PeekFailure.TooLarge,
        _ => PeekFailure.Malformed,
    };
}

/// <summary>Waits for a whole ClientHello and leaves every byte of it where it was. Kestrel's own handshake timeout starts only after this.</summary>
internal sealed class ClientHelloPeek(IOptions<IngressOptions> options, SocketLoops loops, IngressMetrics metrics, TimeProvider time) : IDisposable
{
    private readonly FrozenDictionary<SocketLoop, HelloDeadlines> _deadlines = loops.All.ToFrozenDictionary(loop => loop, loop => new HelloDeadlines(loop, time));

    public ValueTask<PeekedHello> ReadAsync(ConnectionContext connection, CancellationToken closing) =>
        connection is LazySocketConnection { IsUntouched: true } raw ? ReadAsync(raw.Socket, connection, closing) : ReadAsync(connection.Transport.Input, closing);

    /// <summary>The hello, as a rule there already, is looked at where it lies, in the kernel.</summary>
    /// <param name="socket">The connection's, of which nothing was read.</param>
    internal ValueTask<PeekedHello> ReadAsync(Socket socket, ConnectionContext connection, CancellationToken closing)
    {
        try
        {
            var hello = UnreadHello.Peek(socket, out var seen);
            if (hello.Verdict != ClientHelloVerdict.NeedMore) return ValueTask.FromResult(PeekedHello.Of(hello));
            return seen == 0 ? ValueTask.FromResult(PeekedHello.Failed(PeekFailure.Closed)) : WaitAsync(socket, connection, closing);
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            return ValueTask.FromResult(PeekedHello.Failed(PeekFailure.Closed));
        }
    }

    public ValueTask<PeekedHello> ReadAsync(PipeReader input, CancellationToken closing) => WaitAsync(null, () => input, closing);

    public void Dispose()
    {
        foreach (var deadlines in _deadlines.Values) deadlines.Dispose();
    }

    // Apart, for only who waits is to pay for what it captures.
    private ValueTask<PeekedHello> WaitAsync(Socket socket, ConnectionContext connection, CancellationToken closing) =>
        WaitAsync(socket, () => connection.Transport.Input, closing);

    /// <param name="unread">Null: it can only be read. Thousands may wait here, and each layer in between would be memory for each.</param>
    private async ValueTask<PeekedHello> WaitAsync(Socket? unread, Func<PipeReader> input, CancellationToken closing)
    {
        if (!metrics.TryBeginPeek(options.Value.MaxWaitingPeeks)) return PeekedHello.Failed(PeekFailure.Busy);
        try
        {
            var started = time.GetTimestamp();
            var hello = unread is null ? null : await WaitOnSocketAsync(unread, started, closing);
            return hello ?? await WaitOnPipeAsync(input(), started, closing);
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            // A reset, as port scanners end their visits.
            return PeekedHello.Failed(PeekFailure.Closed);
        }
        finally
        {
            metrics.EndPeek();
        }
    }

    private Task<PeekedHello?> WaitOnSocketAsync(Socket socket, long started, CancellationToken closing)
    {
        var loop = loops.Here();
        return new UnreadHello(socket, loop, _deadlines[loop], options.Value, started, time).WaitAsync(closing);
    }

    private async ValueTask<PeekedHello> WaitOnPipeAsync(PipeReader input, long started, CancellationToken closing)
    {
        using var deadline = new CancellationTokenSource(options.Value.PeekFirstByteTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing);
        try
        {
            return await ReadAsync(input, started, deadline, either.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !closing.IsCancellationRequested)
        {
            return PeekedHello.Failed(PeekFailure.Timeout);
        }
    }

    private async ValueTask<PeekedHello> ReadAsync(PipeReader input, long started, CancellationTokenSource deadline, CancellationToken cancellationToken)
    {
        var minimum = 1;
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.Length >= minimum)
            {
                var hello = ClientHelloParser.Parse(buffer);
                if (hello.Verdict != ClientHelloVerdict.NeedMore)
                {
                    // Nothing examined: the next reader gets these bytes at once instead of waiting for new ones.
                    input.AdvanceTo(buffer.Start, buffer.Start);
                    return PeekedHello.Of(hello);
                }
                minimum = hello.MinimumLength;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted || result.IsCanceled) return PeekedHello.Failed(PeekFailure.Closed);

            var left = options.Value.PeekLeft(time.GetElapsedTime(started), hasBegun: true, TimeSpan.Zero);
            if (left <= TimeSpan.Zero) return PeekedHello.Failed(PeekFailure.Timeout);
            deadline.CancelAfter(left);
        }
    }

    /// <summary>The client has gone, or the server goes.</summary>
    private static bool IsEnd(Exception failure) =>
        failure is IOException or SocketException or ObjectDisposedException or ConnectionAbortedException or OperationCanceledException;
}
