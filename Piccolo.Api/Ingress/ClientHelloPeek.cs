using System.Buffers;
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
}

/// <summary>Waits for a whole ClientHello and leaves every byte of it where it was. Kestrel's own handshake timeout starts only after this.</summary>
internal sealed class ClientHelloPeek(IOptions<IngressOptions> options, SocketLoops loops, IngressMetrics metrics, TimeProvider time)
{
    private const int MaxPeek = 16 * 1024;

    /// <summary>On a socket of which nothing was read the hello, as a rule there already, is looked at where it lies, in the kernel.</summary>
    public ValueTask<PeekedHello> ReadAsync(ConnectionContext connection, CancellationToken closing)
    {
        if (connection is not LazySocketConnection { IsUntouched: true } raw) return ReadAsync(connection.Transport.Input, closing);
        try
        {
            if (raw.Socket.Available > 0 && Peek(raw.Socket) is { Verdict: not ClientHelloVerdict.NeedMore } hello) return ValueTask.FromResult(Found(hello));
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return ValueTask.FromResult(PeekedHello.Failed(PeekFailure.Closed));
        }
        return WaitAsync(raw, () => connection.Transport.Input, closing);
    }

    public ValueTask<PeekedHello> ReadAsync(PipeReader input, CancellationToken closing) => WaitAsync(null, () => input, closing);

    private async ValueTask<PeekedHello> WaitAsync(LazySocketConnection? raw, Func<PipeReader> input, CancellationToken closing)
    {
        if (!metrics.TryBeginPeek(options.Value.MaxWaitingPeeks)) return PeekedHello.Failed(PeekFailure.Busy);
        using var deadline = new CancellationTokenSource(options.Value.PeekFirstByteTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing);
        try
        {
            return await ReadAsync(raw, input, deadline, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return PeekedHello.Failed(closing.IsCancellationRequested ? PeekFailure.Closed : PeekFailure.Timeout);
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException or ConnectionAbortedException)
        {
            // A reset, as port scanners end their visits.
            return PeekedHello.Failed(PeekFailure.Closed);
        }
        finally
        {
            metrics.EndPeek();
        }
    }

    private async ValueTask<PeekedHello> ReadAsync(
        LazySocketConnection? raw, Func<PipeReader> pipe, CancellationTokenSource deadline, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (raw is not null)
        {
            if (raw.Socket.Available == 0) await loops.UntilReadableAsync(raw.Socket, cancellationToken);
            var hello = Peek(raw.Socket);
            if (hello.Verdict != ClientHelloVerdict.NeedMore) return Found(hello);
            // A second wait on the socket would end at once, with the same bytes: the rest comes through the pipe, which begins with them.
            deadline.CancelAfter(options.Value.PeekIdleTimeout);
        }
        var input = pipe();
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
                    return Found(hello);
                }
                minimum = hello.MinimumLength;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted || result.IsCanceled) return PeekedHello.Failed(PeekFailure.Closed);

            var left = options.Value.PeekTotalTimeout - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return PeekedHello.Failed(PeekFailure.Timeout);
            deadline.CancelAfter(left < options.Value.PeekIdleTimeout ? left : options.Value.PeekIdleTimeout);
        }
    }

    private static ClientHello Peek(Socket socket)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxPeek);
        try
        {
            return ClientHelloParser.Parse(buffer.AsMemory(0, socket.Receive(buffer, SocketFlags.Peek)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static PeekedHello Found(ClientHello hello) => new(FailureOf(hello.Verdict), hello.ServerName, hello.Alpn);

    private static PeekFailure FailureOf(ClientHelloVerdict verdict) => verdict switch
    {
        ClientHelloVerdict.Hello => PeekFailure.None,
        ClientHelloVerdict.NotTls => PeekFailure.NotTls,
        ClientHelloVerdict.TooLarge => PeekFailure.TooLarge,
        _ => PeekFailure.Malformed,
    };
}
