using System.IO.Pipelines;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.ProxyProtocol;

namespace Piccolo.Api.Ingress.Transports.PlainPort;

/// <summary>
/// Takes the PROXY header off the start of a connection from a trusted proxy. A header is small and comes at once, so one short deadline is enough.
/// </summary>
internal sealed class ProxyHeaderReader(IOptions<IngressOptions> options, WaitingPeeks waiting, TimeProvider time)
{
    /// <returns>Null when there was none in time, or a wrong one; the connection cannot be used then.</returns>
    public async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, IConnectionOriginFeature proxy, CancellationToken closing)
    {
        if (!waiting.TryEnter(proxy, out var place)) return null;
        using var taken = place;
        using var deadline = new CancellationTokenSource(options.Value.PeekIdleTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing);
        try
        {
            return await ReadAsync(input, 1, either.Token);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // Too slow, broken off (ConnectionAbortedException is of this kind too), or the server stops.
            return null;
        }
    }

    private static async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, int minimum, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.Length >= minimum)
            {
                var header = ProxyHeaderParser.Parse(buffer);
                if (header.Verdict == ProxyHeaderVerdict.Header)
                {
                    // Nothing beyond it is examined: what the client said already is there for the next reader at once.
                    var end = buffer.GetPosition(header.Length);
                    input.AdvanceTo(end, end);
                    return header;
                }
                if (header.Verdict != ProxyHeaderVerdict.NeedMore)
                {
                    input.AdvanceTo(buffer.Start, buffer.Start);
                    return null;
                }
                minimum = header.Length;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted || result.IsCanceled) return null;
        }
    }
}
