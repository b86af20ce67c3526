using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel.Session;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Core.Tunnel;

/// <summary>
/// Keeps one accepted session with the relay (two while names change) and hands out the users' streams. What it should do is a target, set at any time;
/// what it observed is a status. Thread-safe.
/// </summary>
public sealed partial class RelayTunnel : ITunnelStreamSource
{
    private readonly TunnelOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RelayTunnel> _logger;
    private readonly SessionScope _scope;
    private readonly ReconnectBackoff _backoff;
    private readonly SessionWeights _weights;
    private readonly TunnelTraffic _traffic = new();
    private readonly TunnelHistory _history = new();
    private readonly ChangeSignal _targetChanged = new();
    private readonly Channel<ITunnelStream> _accepted;
    private ImmutableList<RelaySession> _sessions = [];
    private TunnelTarget? _target;
    private TunnelStatus _status = new() { State = TunnelState.Disabled };
    private RelaySession? _serving;
    private long _reconnects;
    private int _sessionNumber;
    private int _woken;

    /// <param name="random">Uniform in [0, 1), for the pauses between attempts.</param>
    /// <param name="weightFile">Where the weight of the session outlives the process; null for tests of parts.</param>
    public RelayTunnel(IOptions<TunnelOptions> options, TimeProvider time, ILogger<RelayTunnel> logger, Func<double> random, string? weightFile)
    {
        _options = options.Value;
        _time = time;
        _logger = logger;
        _backoff = new ReconnectBackoff(_options, random);
        _weights = new SessionWeights(weightFile, time, logger);
        _accepted = Channel.CreateBounded<ITunnelStream>(_options.AcceptBacklog);
        _scope = new SessionScope(
            _options, time, logger, new AddressLimit(_options.MaxStreamsPerAddress), _traffic, _history, stream => _accepted.Writer.TryWrite(stream),
            Changed.Raise);
    }

    /// <summary>Raised when the state, a session or the round trip changed; not for every stream.</summary>
    public ChangeSignal Changed { get; } = new();

    public TunnelStatus Status
    {
        get
        {
            var sessions = Volatile.Read(ref _sessions);
            var serving = Volatile.Read(ref _serving);
            return Volatile.Read(ref _status) with
            {
                Sessions = sessions.Count,
                Streams = sessions.Sum(session => session.StreamCount),
                BufferedBytes = sessions.Sum(session => session.BufferedBytes),
                BytesIn = _traffic.In,
                BytesOut = _traffic.Out,
                Reconnects = Interlocked.Read(ref _reconnects),
                RoundTrip = serving?.RoundTrip,
                Hostnames = serving?.Target.Hostnames ?? [],
                Draining =
                [
                    .. sessions.Where(session => session.DrainsUntil is not null)
                        .Select(session => new DrainingSession(session.Number, session.StreamCount, session.DrainsUntil!.Value)),
                ],
                Counts = _history.Counts,
            };
        }
    }

    /// <summary>Sets what the tunnel should be; it sets about it at once. Null, or a target without names, closes it.</summary>
    public void SetTarget(TunnelTarget? target)
    {
        var normal = target is null ? null : target with { Hostnames = Normalise(target.Hostnames) };
        if (Equals(Interlocked.Exchange(ref _target, normal), normal)) return;
        _targetChanged.Raise();
    }

    /// <summary>
    /// Something has changed that may let the next attempt succeed, or have cut the session without a word: what waits is tried at once, and the session is
    /// asked for a sign of life.
    /// </summary>
    public void Wake(string cause)
    {
        _logger.Woken(cause);
        Volatile.Write(ref _woken, 1);
        _targetChanged.Raise();
    }

    public async ValueTask<ITunnelStream?> AcceptAsync(CancellationToken cancellationToken)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_accepted.Reader.TryRead(out var stream)) return stream;
        }
        return null;
    }

    /// <summary>
    /// Finds out whether a relay takes a secret by opening a session of its own, which claims a name that no user can ask for, and closing it again.
    /// Neither target nor status change.
    /// </summary>
    public async Task<TunnelVerification> VerifyAsync(Uri endpoint, string deviceSecret, CancellationToken cancellationToken)
    {
        // RFC 6761, 6.4: no name under .invalid resolves.
        var target = new TunnelTarget(endpoint, deviceSecret, [$"verify-{Guid.NewGuid():N}.invalid"]);
        var session = new RelaySession(Interlocked.Increment(ref _sessionNumber), target, weight: 1, _scope with { Offer = _ => false, Changed = () => { } });
        session.Narrow([]);
        if (await session.OpenAsync(_ => { }, cancellationToken) is { } failure)
            return new TunnelVerification(false, failure.Code, failure.Reason, failure.NextStep, null);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(session.Measured, session.Completion, Task.Delay(MeasureLimit, _time, waiting.Token));
        await waiting.CancelAsync();
        await session.CloseAsync();
        return new TunnelVerification(true, null, null, null, session.RoundTrip);
    }

    private void HandleWake()
    {
        if (Interlocked.Exchange(ref _woken, 0) == 0) return;
        _failedTarget = null;
        _backoff.Reset();
        _ = _serving?.RequireAnswerAsync();
    }

    /// <summary>One broken name would make the relay refuse all of them; each is brought to its normal form or left out.</summary>
    private ImmutableSortedSet<string> Normalise(ImmutableSortedSet<string> hostnames)
    {
        var names = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var hostname in hostnames)
        {
            if (DomainName.TryParse(hostname, out var name)) names.Add(name.Value);
            else _logger.NameDropped(hostname);
        }
        return names.ToImmutable();
    }
}
