using System.Diagnostics.Metrics;

namespace Piccolo.Api.Ingress.Diagnostics;

/// <summary>Counters of the front door, meter <c>Piccolo.Ingress</c>.</summary>
internal sealed class IngressMetrics : IDisposable
{
    public const string MeterName = "Piccolo.Ingress";

    private readonly Meter _meter;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _spliced;
    private readonly Counter<long> _bytes;
    private readonly Histogram<double> _lasted;
    private readonly Counter<long> _forwardFailures;
    private int _connections;
    private int _waitingPeeks;
    private int _handshakes;

    public IngressMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _refused = _meter.CreateCounter<long>("piccolo.ingress.refused", "{connection}", "Connections that were not let in, by reason.");
        _spliced = _meter.CreateCounter<long>("piccolo.ingress.spliced", "{connection}", "Connections that were copied untouched, by how they ended.");
        _bytes = _meter.CreateCounter<long>("piccolo.ingress.spliced.bytes", "By", "Bytes of spliced connections, by direction.");
        _lasted = _meter.CreateHistogram<double>("piccolo.ingress.spliced.duration", "s", "How long spliced connections lasted.");
        _forwardFailures = _meter.CreateCounter<long>("piccolo.ingress.forward.failures", "{request}", "Requests to apps that failed, by outcome.");
        _meter.CreateObservableGauge("piccolo.ingress.connections", () => Volatile.Read(ref _connections), "{connection}", "Open connections of all kinds.");
        _meter.CreateObservableGauge("piccolo.ingress.handshakes", () => Volatile.Read(ref _handshakes), "{connection}", "TLS handshakes in progress.");
        _meter.CreateObservableGauge("piccolo.ingress.peeks.waiting", () => Volatile.Read(ref _waitingPeeks), "{connection}", "ClientHellos that are awaited.");
    }

    /// <summary>Takes a place among the open connections.</summary>
    /// <returns>False when there are <paramref name="limit"/> already; then nothing is to be given back.</returns>
    public bool TryBeginConnection(int limit)
    {
        if (Interlocked.Increment(ref _connections) <= limit) return true;
        Interlocked.Decrement(ref _connections);
        return false;
    }

    public void EndConnection() => Interlocked.Decrement(ref _connections);

    public void PeekBegins() => Interlocked.Increment(ref _waitingPeeks);

    public void PeekEnds() => Interlocked.Decrement(ref _waitingPeeks);

    public void HandshakeBegins() => Interlocked.Increment(ref _handshakes);

    public void HandshakeEnds() => Interlocked.Decrement(ref _handshakes);

    /// <summary>A counter that is read when somebody asks.</summary>
    public void Observe(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableCounter(name, read, unit, description);

    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void ForwardFailed(string outcome) => _forwardFailures.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Spliced(string end, long bytesToUpstream, long bytesToClient, TimeSpan lasted)
    {
        _spliced.Add(1, new KeyValuePair<string, object?>("end", end));
        _bytes.Add(bytesToUpstream, new KeyValuePair<string, object?>("direction", "to_upstream"));
        _bytes.Add(bytesToClient, new KeyValuePair<string, object?>("direction", "to_client"));
        _lasted.Record(lasted.TotalSeconds);
    }

    public void Dispose() => _meter.Dispose();
}
