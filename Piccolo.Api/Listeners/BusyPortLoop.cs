using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Core.Apps;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Listeners;

/// <summary>
/// Retries a LAN port that another program holds, because people have bookmarked it. After <see cref="IngressOptions.BusyPortPatience"/> the listener gets
/// another port, which is stored and shown.
/// </summary>
internal sealed class BusyPortLoop(
    LanPortStates states, AppCatalog catalog, LeadershipRegistry leadership, IOptions<IngressOptions> options, TimeProvider time, ILogger<BusyPortLoop> logger)
    : BackgroundService
{
    private readonly Dictionary<(string Listener, int Port), DateTimeOffset> _next = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wake = new SignalSet(states.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            wake.Mark();
            try
            {
                MoveWhatWaitedLongEnough();
            }
            catch (StoreSealedException)
            {
                // Locked in between: the listeners, and with them their ports, are about to go.
            }
            catch (Exception failure)
            {
                logger.BusyPortsFailed(failure);
            }
            var wait = _next.Values.Select(due => due - time.GetUtcNow()).DefaultIfEmpty(options.Value.BusyPortPatience).Min();
            await wake.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void MoveWhatWaitedLongEnough()
    {
        var patience = options.Value.BusyPortPatience;
        var now = time.GetUtcNow();
        var busy = states.Current.Values.Where(s => s is { Binding: LanPortBinding.BindFailed, IsTaken: true }).ToDictionary(s => (s.Listener.Name, s.Port));
        foreach (var gone in _next.Keys.Where(k => !busy.ContainsKey(k)).ToList()) _next.Remove(gone);
        foreach (var (key, state) in busy)
        {
            if (!_next.TryGetValue(key, out var due)) _next[key] = due = state.Since + patience;
            if (due > now) continue;
            // Whatever comes of it, the next attempt is not at once.
            _next[key] = now + patience;
            if (leadership.RoleOf(ResourceId.ControlPlane).IsLeader) Move(state, patience);
        }
    }

    private void Move(LanPortState state, TimeSpan patience)
    {
        var listener = state.Listener;
        var moved = catalog.MoveBusyPublicPort(listener.App, listener.Name, state.Port);
        if (moved is { } port) logger.LanPortMoved(state.Port, listener.App, listener.Name, patience, port);
        else logger.LanPortNotMoved(state.Port, listener.App, listener.Name);
    }
}
