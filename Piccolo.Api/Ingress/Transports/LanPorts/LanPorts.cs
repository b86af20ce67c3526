using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.PassThrough;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Transports.LanPorts;

/// <summary>
/// Keeps one open LAN port per listener: a loop that compares the listener table with the sockets, computing everything anew each time. What cannot be
/// bound is tried again.
/// </summary>
internal sealed class LanPorts(
    ListenerTable table, LanPortStates states, OriginClassifier classifier, ConnectionAdmission admission, PassedConnections passed,
    SocketLoops loops, BlockPool blocks, OpenFiles openFiles,
    IOptions<IngressOptions> options, IngressMetrics metrics, TimeProvider time, ILogger<LanPorts> logger) : IDisposable
{
    private const int QueueLength = 512;

    private readonly Dictionary<string, LanPort> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LanPortRetry> _failed = new(StringComparer.Ordinal);
    private readonly Channel<ConnectionContext> _http = NewQueue();
    private readonly Channel<ConnectionContext> _http2 = NewQueue();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task? _running;

    /// <summary>The connections that Kestrel's endpoint for this traffic accepts.</summary>
    public ChannelReader<ConnectionContext> Accepted(LanTraffic traffic) => QueueOf(traffic).Reader;

    /// <summary>Begins with the first endpoint that is bound; the second finds it running.</summary>
    public void Start()
    {
        lock (_gate) _running ??= Task.Run(() => RunAsync(_stopping.Token));
    }

    /// <summary>Closes the ports. Requests that are under way go on.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        if (_running is { } running) await running;
        _http.Writer.TryComplete();
        _http2.Writer.TryComplete();
    }

    public void Dispose()
    {
        _stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            // Before the work: a change during it is seen by the wait.
            var seen = table.Changed.Version;
            try
            {
                var retry = await ReconcileAsync();
                await (retry is { } wait ? table.Changed.WaitAsync(seen, wait, time, stopping) : table.Changed.WaitAsync(seen, stopping));
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception failure)
            {
                logger.LanPortsFailed(failure);
                await Task.Delay(LanPortRetry.Longest, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        foreach (var name in _open.Keys.ToList()) await CloseAsync(name);
    }

    /// <returns>How long until something that failed is due again.</returns>
    private async Task<TimeSpan?> ReconcileAsync()
    {
        var wanted = table.Current.DistinctBy(l => l.Name).ToDictionary(l => l.Name, StringComparer.Ordinal);
        // First what goes, so that a port can change hands within one pass.
        foreach (var name in _open.Keys.Where(n => !IsSamePort(wanted.GetValueOrDefault(n), _open[n])).ToList()) await CloseAsync(name);
        foreach (var name in _failed.Keys.Where(n => wanted.GetValueOrDefault(n)?.PublicPort != _failed[n].Port).ToList()) Forget(name);
        foreach (var listener in wanted.Values)
        {
            if (_open.TryGetValue(listener.Name, out var port)) await UpdateAsync(port, listener);
            else if (_failed.GetValueOrDefault(listener.Name) is not { } failed || failed.IsDue(time)) TryOpen(listener);
        }
        return _failed.Count == 0 ? null : _failed.Values.Min(f => f.Left(time));
    }

    private static bool IsSamePort(PublishedListener? wanted, LanPort open) => wanted is not null && wanted.PublicPort == open.Listener.PublicPort;

    private async Task UpdateAsync(LanPort port, PublishedListener listener)
    {
        if (port.Listener.Equals(listener)) return;
        await port.ReplaceAsync(listener);
        states.Set(new LanPortState(listener, LanPortBinding.Listening, port.Port, null, time.GetUtcNow()));
    }

    private void TryOpen(PublishedListener listener)
    {
        try
        {
            var port = LanPort.Bind(listener, options.Value, Accept, time, logger);
            _open[listener.Name] = port;
            _failed.Remove(listener.Name);
            states.Set(new LanPortState(listener, LanPortBinding.Listening, port.Port, null, time.GetUtcNow()));
            logger.LanPortListening(port.Port, listener.App, listener.Name);
        }
        catch (SocketException failure)
        {
            var retry = LanPortRetry.After(_failed.GetValueOrDefault(listener.Name), listener.PublicPort, time);
            _failed[listener.Name] = retry;
            states.Set(new LanPortState(listener, LanPortBinding.BindFailed, listener.PublicPort, failure.Message, time.GetUtcNow())
            {
                IsTaken = failure.SocketErrorCode == SocketError.AddressAlreadyInUse,
            });
            logger.LanPortBindFailed(listener.PublicPort, listener.App, listener.Name, failure.Message, retry.Attempt, retry.Left(time));
        }
    }

    private async Task CloseAsync(string name)
    {
        if (!_open.Remove(name, out var port)) return;
        await port.DisposeAsync();
        states.Remove(name);
        logger.LanPortClosed(port.Port, port.Listener.App, name);
    }

    private void Forget(string name)
    {
        _failed.Remove(name);
        states.Remove(name);
    }

    private void Accept(Socket socket, PublishedListener listener, CancellationToken outdated)
    {
        var origin = classifier.Classify(socket.RemoteEndPoint, listener.PublicPort, listener);
        if (!origin.IsAllowedNetwork || openFiles.IsShort(socket))
        {
            metrics.Refused(origin.IsAllowedNetwork ? "descriptors" : "network_not_allowed");
            socket.Dispose();
            return;
        }
        var id = LoopConnection.NextId();
        if (admission.TryEnter(id, origin, 0) is not { } lease) socket.Break();
        // What is not HTTP in clear text is passed through without a look, for its protocol may let the server speak first.
        else if (!listener.Definition.IsHttp) passed.Begin(new PassedConnection(id, socket, origin, lease, outdated), listener);
        else Queue(id, socket, origin, lease, listener, outdated);
    }

    private void Queue(string id, Socket socket, IConnectionOriginFeature origin, ConnectionLease lease, PublishedListener listener, CancellationToken outdated)
    {
        try
        {
            var traffic = TrafficOf(listener);
            // HTTP/2 runs each of its streams on the thread pool.
            var connection = new LoopConnection(id, socket, loops.Next(), blocks, lease) { ResumesOnLoop = traffic == LanTraffic.Http };
            connection.Features.Set(origin);
            connection.Features.Set(new LanPortFeature(outdated));
            if (QueueOf(traffic).Writer.TryWrite(connection)) return;
            metrics.Refused("queue_full");
            connection.Abort(new ConnectionAbortedException("Too many connections wait for an app."));
            _ = connection.DisposeAsync().AsTask();
        }
        catch (SocketException)
        {
            // The client went before we came to it.
            socket.Dispose();
            lease.Dispose();
        }
    }

    private Channel<ConnectionContext> QueueOf(LanTraffic traffic) => traffic == LanTraffic.Http2 ? _http2 : _http;

    private static LanTraffic TrafficOf(PublishedListener listener) =>
        listener.Definition is { Flow: ListenerFlow.Tcp, Protocol: ListenerProtocol.Grpc } ? LanTraffic.Http2 : LanTraffic.Http;

    private static Channel<ConnectionContext> NewQueue() => Channel.CreateBounded<ConnectionContext>(QueueLength);
}
