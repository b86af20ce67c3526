using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.DevRelay.Control;
using Piccolo.DevRelay.Entry;
using Piccolo.DevRelay.Hub;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay;

/// <summary>A relay that speaks the Nexus protocol's relay side, for development and tests. Start it once.</summary>
public sealed class Relay : IAsyncDisposable
{
    private readonly RelayOptions _options;
    private readonly ILogger _logger;
    private readonly SessionTable _sessions;
    private readonly List<Acceptor> _acceptors = [];
    private ControlServer? _control;
    private int _disposed;

    public Relay(RelayOptions options, ILoggerFactory? loggers = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Secret);
        _options = options;
        _logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<Relay>();
        _sessions = new SessionTable(options.StockEmptyPools);
    }

    /// <summary>Where the hub is bound.</summary>
    public IPEndPoint Hub { get; private set; } = new(IPAddress.None, 0);

    /// <summary>What a backend dials.</summary>
    public Uri HubUri
    {
        get
        {
            var scheme = _options.HubCertificate is null ? "ws" : "wss";
            var address = Hub.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : Hub.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : Hub.Address;
            var host = _options.HubHost ?? new IPEndPoint(address, 1).ToString()[..^2];
            return new Uri(string.Create(CultureInfo.InvariantCulture, $"{scheme}://{host}:{Hub.Port}{Nexus.Path}"));
        }
    }

    /// <summary>The public ports as bound, in the order of the options.</summary>
    public IReadOnlyList<BoundPort> PublicPorts { get; private set; } = [];

    /// <summary>The control port as bound, or null.</summary>
    public IPEndPoint? Control => _control?.Listen;

    public RelayFaults Faults { get; } = new();

    /// <summary>Binds every port; fails when one cannot be bound.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var hub = new HubListener(_sessions, _options, Faults, _logger);
        Hub = Accept(_options.Hub, hub.ServeAsync).Listen;
        var users = new PublicListener(_sessions, _options, Faults, _logger);
        PublicPorts = [.. _options.PublicPorts.Select(p =>
            new BoundPort(Accept(p.Listen, (socket, stopping) => users.ServeAsync(socket, p.AdvertisedPort, stopping)).Listen, p.AdvertisedPort))];
        if (_options.Control is { } control) _control = await ControlServer.StartAsync(control, this, cancellationToken);
    }

    /// <summary>The accepted sessions, oldest first.</summary>
    public IReadOnlyList<SessionSnapshot> Sessions() => [.. _sessions.All.Select(s => s.Snapshot())];

    /// <summary>Counts and gauges in the Prometheus text format.</summary>
    public string Metrics() => _sessions.Counters.Write(Sessions());

    /// <summary>Waits until the sessions are as wanted; looks again whenever one comes or goes.</summary>
    public async Task<IReadOnlyList<SessionSnapshot>> WaitForSessionsAsync(Func<IReadOnlyList<SessionSnapshot>, bool> wanted,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _sessions.Changed;
            var sessions = Sessions();
            if (wanted(sessions)) return sessions;
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Ends every session with a bare close.</summary>
    /// <returns>How many there were.</returns>
    public int DropSessions()
    {
        var sessions = _sessions.All;
        foreach (var session in sessions) session.End("dropped by a fault switch");
        return sessions.Count;
    }

    /// <summary>Cuts the way to every session's backend without anybody being told: each stays in the pools until it has been silent for too long.</summary>
    /// <returns>How many there were.</returns>
    public int StrandSessions()
    {
        var sessions = _sessions.All;
        foreach (var session in sessions) session.Strand();
        return sessions.Count;
    }

    /// <summary>Sends a message of the caller's making on every session, through the control lane.</summary>
    /// <returns>On how many sessions it was queued.</returns>
    public int Inject(bool text, ReadOnlyMemory<byte> message) => _sessions.All.Count(s => s.Inject(text, message));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        if (_control is not null) await _control.DisposeAsync();
        await Task.WhenAll(_acceptors.Select(a => a.DisposeAsync().AsTask()));
    }

    private Acceptor Accept(IPEndPoint listen, Func<System.Net.Sockets.Socket, CancellationToken, Task> serve)
    {
        var acceptor = new Acceptor(listen, serve, _options.Time, _logger);
        _acceptors.Add(acceptor);
        return acceptor;
    }
}
