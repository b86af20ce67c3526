using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Diagnostics;

/// <summary>Why a TLS handshake came to nothing.</summary>
internal enum HandshakeFailure
{
    /// <summary>It took longer than <see cref="IngressOptions.HandshakeTimeout"/>.</summary>
    Timeout,

    /// <summary>The client went away in the middle of it.</summary>
    ClientGone,

    /// <summary>Both sides found nothing in common, or one of them broke the rules or did not like the certificate.</summary>
    Protocol,
}

/// <summary>What went through one listener since the process began. Thread-safe.</summary>
internal sealed class ListenerCounters
{
    private readonly long[] _statusClasses = new long[6];
    private readonly long[] _handshakeFailures = new long[Enum.GetValues<HandshakeFailure>().Length];
    private long _connections;
    private long _bytesIn;
    private long _bytesOut;

    public long Connections => Volatile.Read(ref _connections);

    /// <summary>From clients, without TLS's own.</summary>
    public long BytesIn => Volatile.Read(ref _bytesIn);

    public long BytesOut => Volatile.Read(ref _bytesOut);

    public void Connected() => Interlocked.Increment(ref _connections);

    public void Received(long bytes) => Interlocked.Add(ref _bytesIn, bytes);

    public void Sent(long bytes) => Interlocked.Add(ref _bytesOut, bytes);

    public void Answered(int status) => Interlocked.Increment(ref _statusClasses[Math.Clamp(status / 100, 0, _statusClasses.Length - 1)]);

    public void HandshakeFailed(HandshakeFailure reason) => Interlocked.Increment(ref _handshakeFailures[(int)reason]);

    /// <param name="statusClass">1 to 5.</param>
    public long Answers(int statusClass) => Volatile.Read(ref _statusClasses[statusClass]);

    public long HandshakeFailures(HandshakeFailure reason) => Volatile.Read(ref _handshakeFailures[(int)reason]);
}

/// <summary>The counters of all listeners, of the portal and of the device's own name, as metrics of the meter <c>Piccolo.Ingress</c>.</summary>
internal sealed class ListenerTraffic
{
    /// <summary>No listener can have such a name.</summary>
    public const string Portal = "(portal)";

    /// <inheritdoc cref="Portal"/>
    public const string Device = "(device)";

    private readonly ConcurrentDictionary<string, ListenerCounters> _counters = new(StringComparer.Ordinal);
    private readonly ListenerTable _table;

    public ListenerTraffic(IngressMetrics metrics, ListenerTable table)
    {
        _table = table;
        metrics.Observe("piccolo.ingress.listener.connections", "{connection}", "Connections, by listener.", () => Each(c => [(c.Connections, null, null)]));
        metrics.Observe("piccolo.ingress.listener.bytes", "By", "Bytes without TLS's own, by listener and direction. Of spliced connections when they end.",
            () => Each(c => [(c.BytesIn, "direction", "in"), (c.BytesOut, "direction", "out")]));
        metrics.Observe("piccolo.ingress.listener.responses", "{response}", "Answers to requests, by listener and class of status.",
            () => Each(c => Enumerable.Range(1, 5).Select(k => (c.Answers(k), (string?)"class", (string?)$"{k}xx"))));
        metrics.Observe("piccolo.ingress.listener.handshake_failures", "{handshake}", "TLS handshakes that failed, by listener and reason.",
            () => Each(c => Enum.GetValues<HandshakeFailure>()
                .Select(r => (c.HandshakeFailures(r), (string?)"reason", (string?)JsonNamingPolicy.SnakeCaseLower.ConvertName(r.ToString())))));
    }

    /// <param name="label">A listener's name, <see cref="Portal"/> or <see cref="Device"/>.</param>
    public ListenerCounters Of(string label) => _counters.GetOrAdd(label, static _ => new ListenerCounters());

    private List<Measurement<long>> Each(Func<ListenerCounters, IEnumerable<(long Value, string? Tag, string? Name)>> read)
    {
        Forget();
        return [.. from pair in _counters
            from measured in read(pair.Value)
            select measured.Tag is null
                ? new Measurement<long>(measured.Value, new KeyValuePair<string, object?>("listener", pair.Key))
                : new Measurement<long>(measured.Value, new("listener", pair.Key), new(measured.Tag, measured.Name))];
    }

    /// <summary>
    /// Listeners that are gone take their counters with them, or installing and removing would fill the memory. While locked the table is empty and says
    /// nothing.
    /// </summary>
    private void Forget()
    {
        var known = _table.Current;
        if (known.IsEmpty) return;
        foreach (var label in _counters.Keys)
            if (label is not (Portal or Device) && !known.Any(l => l.Name == label)) _counters.TryRemove(label, out _);
    }
}
