using Microsoft.AspNetCore.Hosting.Server;
using Piccolo.Core.Audit;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;

namespace Piccolo.Api.Platform;

/// <summary>
/// The order in which the appliance ends: requests and connections first, with a short time to finish; then apps, tunnel and orders side by side (the
/// host's own part, each with its limit); last the sessions, the store and the keys. Together they stay below ten seconds.
/// </summary>
internal sealed class OrderlyShutdown(
    IServer server, ApplianceLock box, SealedStore store, AuditLog audit, ClockFloor clock, TimeProvider time, ILogger<OrderlyShutdown> logger)
    : IHostedLifecycleService
{
    /// <summary>What the service manager is told, and what all of it may take.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>What a running request has to end; a download has no claim to more.</summary>
    private static readonly TimeSpan ConnectionsLimit = TimeSpan.FromSeconds(1.5);

    private readonly Lock _gate = new();
    private long _began;
    private Task? _stopping;
    private Task? _stopped;

    // A host can be asked to stop by two at once; both get the one end.
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        lock (_gate) return _stopping ??= CloseConnectionsAsync(cancellationToken);
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        lock (_gate) return _stopped ??= LockAsync(cancellationToken);
    }

    private async Task CloseConnectionsAsync(CancellationToken cancellationToken)
    {
        _began = time.GetTimestamp();
        using var limit = new CancellationTokenSource(ConnectionsLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        // What is still open at the limit is aborted. The host's own stop of the server finds it done.
        await server.StopAsync(either.Token);
    }

    private async Task LockAsync(CancellationToken cancellationToken)
    {
        var details = new Dictionary<string, string> { ["reason"] = "shutdown" };
        if (store.IsOpen) audit.Record(new AuditEvent(time.GetUtcNow(), AuditKinds.Locked, "appliance", "appliance", null, details));
        await box.LockAsync(cancellationToken);
        clock.Save();
        logger.StoppedInOrder(time.GetElapsedTime(_began));
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
