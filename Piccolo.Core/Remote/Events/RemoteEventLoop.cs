using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Tunnel;

namespace Piccolo.Core.Remote.Events;

/// <summary>
/// Looks at tunnel, certificates and names whenever one of them has changed, and records what is news. It compares with what is recorded, not with what it
/// remembers: a restart repeats nothing.
/// </summary>
internal sealed class RemoteEventLoop(
    RemoteEventLog events, SealedStore store, RelayTunnel tunnel, CertificateInventory certificates, FrontDoorBoard board, TimeProvider time,
    ILogger<RemoteEventLoop> logger) : BackgroundService
{
    // Only a safety net for a bug: every change has its signal.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(5);

    // What was said last, so that an unchanged state costs no look into the store.
    private ImmutableDictionary<(string Source, string Subject), string> _said = ImmutableDictionary<(string, string), string>.Empty;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(store.Changed, tunnel.Changed, certificates.Changed, board.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            try
            {
                RecordChanges();
            }
            catch (Exception e)
            {
                logger.EventsFailed(e);
            }
            await signals.WaitAsync(LookAgain, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void RecordChanges()
    {
        if (!store.IsOpen)
        {
            _said = _said.Clear();
            return;
        }
        Say(tunnel.Status);
        foreach (var certificate in certificates.List()) Say(certificate);
        foreach (var name in board.Names) Say(name);
    }

    private void Say(TunnelStatus line)
    {
        switch (line.State)
        {
            case TunnelState.Online when line.Reason is null:
                Note(RemoteEventLevel.Info, RemoteEventSources.Tunnel, "", "online", "The relay accepted this device.", null);
                break;
            case TunnelState.Refused:
                Note(
                    RemoteEventLevel.Error, RemoteEventSources.Tunnel, "", $"refused:{line.Code}", line.Reason ?? "The relay refused this device.",
                    line.NextStep);
                break;
            case TunnelState.Waiting:
                Note(
                    RemoteEventLevel.Warn, RemoteEventSources.Tunnel, "", $"waiting:{line.Code}",
                    line.Reason ?? "There is no connection to the relay; it is tried again.", line.NextStep);
                break;
        }
    }

    private void Say(CertificateEntry entry)
    {
        if (entry.LastError is { } error)
        {
            Note(
                RemoteEventLevel.Warn, RemoteEventSources.Certificate, entry.Id, $"failed:{error.Code}",
                $"The certificate {entry.Id} could not be ordered: {error.Detail}", error.NextStep);
        }
        else if (entry is { FingerprintSha256: { } fingerprint, NotAfter: { } end })
        {
            Note(
                RemoteEventLevel.Info, RemoteEventSources.Certificate, entry.Id, $"held:{fingerprint}",
                $"The certificate {entry.Id} was issued by {entry.Issuer}; it lasts until {end:u}.", null);
        }
    }

    private void Say(NameReach name)
    {
        switch (name.Result)
        {
            case ReachResult.Reachable:
                Note(RemoteEventLevel.Info, RemoteEventSources.Probe, name.Name, "reachable", $"{name.Name} is reachable from outside.", null);
                break;
            case ReachResult.Dead or ReachResult.Dns or ReachResult.WrongKey:
                Note(
                    RemoteEventLevel.Error, RemoteEventSources.Probe, name.Name, name.Result.ToString(),
                    $"{name.Name} is not reachable from outside: {name.Detail}", name.NextStep);
                break;
        }
    }

    private void Note(RemoteEventLevel level, string source, string subject, string state, string message, string? nextStep)
    {
        if (_said.GetValueOrDefault((source, subject)) == state) return;
        events.Note(level, source, subject, state, message, nextStep);
        _said = _said.SetItem((source, subject), state);
    }
}
