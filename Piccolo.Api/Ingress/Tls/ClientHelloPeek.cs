using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress.Tls;

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

/// <summary>
/// Waits for a whole ClientHello on a stream of the relay, and leaves every byte of it in the pipe. Kestrel's own handshake timeout starts only after this.
/// </summary>
internal sealed class ClientHelloPeek(IOptions<IngressOptions> options, WaitingPeeks waiting, TimeProvider time)
{
    public async ValueTask<PeekedHello> ReadAsync(PipeReader input, IConnectionOriginFeature origin, CancellationToken closing)
    {
        if (!waiting.TryEnter(origin, out var place)) return PeekedHello.Failed(PeekFailure.Busy);
        using var taken = place;
        try
        {
            return await WaitAsync(input, closing);
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            // A reset, as port scanners end their visits.
            return PeekedHello.Failed(PeekFailure.Closed);
        }
    }

    private async ValueTask<PeekedHello> WaitAsync(PipeReader input, CancellationToken closing)
    {
        var started = time.GetTimestamp();
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
