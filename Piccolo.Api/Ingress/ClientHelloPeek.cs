using System.Collections.Immutable;
using System.IO.Pipelines;
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
internal sealed class ClientHelloPeek(IOptions<IngressOptions> options, IngressMetrics metrics, TimeProvider time)
{
    public async ValueTask<PeekedHello> ReadAsync(PipeReader input, CancellationToken closing)
    {
        if (!metrics.TryBeginPeek(options.Value.MaxWaitingPeeks)) return PeekedHello.Failed(PeekFailure.Busy);
        using var deadline = new CancellationTokenSource(options.Value.PeekFirstByteTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing);
        try
        {
            return await ReadAsync(input, deadline, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return PeekedHello.Failed(closing.IsCancellationRequested ? PeekFailure.Closed : PeekFailure.Timeout);
        }
        catch (IOException)
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
        PipeReader input, CancellationTokenSource deadline, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
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
                    return new PeekedHello(FailureOf(hello.Verdict), hello.ServerName, hello.Alpn);
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

    private static PeekFailure FailureOf(ClientHelloVerdict verdict) => verdict switch
    {
        ClientHelloVerdict.Hello => PeekFailure.None,
        ClientHelloVerdict.NotTls => PeekFailure.NotTls,
        ClientHelloVerdict.TooLarge => PeekFailure.TooLarge,
        _ => PeekFailure.Malformed,
    };
}
