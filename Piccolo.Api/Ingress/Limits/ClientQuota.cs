using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>A limit for all clients together and a smaller one for each address, so that nobody can hold everything. Thread-safe.</summary>
internal abstract class ClientQuota(Func<int> limit, Func<int> limitPerAddress, Action begins, Action ends)
{
    private readonly AddressCounts _clients = new();
    private int _used;

    /// <summary>Takes a place.</summary>
    /// <returns>False when there is none; then nothing is to be given back.</returns>
    public bool TryEnter(IConnectionOriginFeature origin, out Place place)
    {
        place = new Place(this, SubscriberAddress.Of(origin.ClientEndPoint?.Address ?? IPAddress.None));
        if (!_clients.TryEnter(place.Client, limitPerAddress())) return false;
        if (Interlocked.Increment(ref _used) <= limit())
        {
            begins();
            return true;
        }
        Interlocked.Decrement(ref _used);
        _clients.Leave(place.Client);
        return false;
    }

    /// <summary>A place that was taken; disposed once.</summary>
    internal readonly struct Place(ClientQuota quota, IPAddress client) : IDisposable
    {
        public IPAddress Client { get; } = client;

        public void Dispose()
        {
            quota._clients.Leave(Client);
            Interlocked.Decrement(ref quota._used);
            quota.EndOne();
        }
    }

    private void EndOne() => ends();
}

/// <summary>Connections of which the ClientHello, or a PROXY header, is awaited.</summary>
internal sealed class WaitingPeeks(IOptions<IngressOptions> options, IngressMetrics metrics)
    : ClientQuota(() => options.Value.MaxWaitingPeeks, () => options.Value.MaxWaitingPeeksPerAddress, metrics.PeekBegins, metrics.PeekEnds);

/// <summary>TLS handshakes in progress.</summary>
internal sealed class RunningHandshakes(IOptions<IngressOptions> options, IngressMetrics metrics)
    : ClientQuota(() => options.Value.MaxHandshakes, () => options.Value.MaxHandshakesPerAddress, metrics.HandshakeBegins, metrics.HandshakeEnds);
