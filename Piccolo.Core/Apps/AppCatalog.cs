using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps;

/// <summary>
/// The installed apps. Each change is one transaction of the control store; loops make it so. Throws <see cref="StoreSealedException"/> while locked.
/// Thread-safe.
/// </summary>
public sealed class AppCatalog(SealedStore store, ListenerTable listeners, ListenerPorts ports, TimeProvider time)
{
    /// <summary>More than this no home server runs; it bounds every list.</summary>
    public const int MaxApps = 200;

    private readonly Lock _publishing = new();

    public IReadOnlyList<AppRecord> List() => [.. store.List(AppRecord.Collection).OrderBy(a => a.Name, StringComparer.Ordinal)];

    public AppRecord? Find(string name) => store.Get(AppRecord.Collection, name);

    /// <summary>Installs the app, or brings an installed one to the new manifest. Start and stop stay as they were wanted.</summary>
    /// <param name="isReservedLabel">Whether a listener may not have this name, because the portal or an alias answers there.</param>
    public InstallOutcome Install(AppManifest manifest, string manifestText, Func<string, bool> isReservedLabel)
    {
        var outcome = store.Commit<InstallOutcome>(transaction =>
        {
            var apps = transaction.List(AppRecord.Collection);
            var known = apps.FirstOrDefault(a => a.Name == manifest.Name);
            var others = apps.Where(a => a.Name != manifest.Name).ToList();
            if (Conflicts(manifest, others, isReservedLabel) is { Length: > 0 } conflicts) return new InstallOutcome.Conflict(conflicts);
            if (known is not null && known.ManifestText == manifestText) return new InstallOutcome.Updated(known);
            if (Allocate(manifest, known, others) is not { } allotted) return new InstallOutcome.NoPortLeft("No free port is left for the app's listeners.");
            var now = known is null ? time.GetUtcNow() : Later(known);
            var record = new AppRecord(manifest.Name, manifestText, manifest, allotted, known?.DesiredState ?? DesiredState.Running, known?.CreatedAt ?? now, now);
            transaction.Put(AppRecord.Collection, record.Name, record);
            return known is null ? new InstallOutcome.Created(record) : new InstallOutcome.Updated(record);
        });
        PublishListeners();
        return outcome;
    }

    /// <summary>Removes the app. Its container and its volumes follow, sooner or later: the removal is kept until they are gone.</summary>
    /// <returns>Whether there was such an app.</returns>
    public bool Remove(string name)
    {
        var removed = store.Commit(transaction =>
        {
            if (!transaction.Delete(AppRecord.Collection, name)) return false;
            transaction.Put(AppRemoval.Collection, name, new AppRemoval(name, time.GetUtcNow()));
            return true;
        });
        PublishListeners();
        return removed;
    }

    /// <summary>Nothing is left of an app that was removed.</summary>
    internal void Removed(string name)
    {
        try
        {
            store.Commit(transaction => transaction.Delete(AppRemoval.Collection, name));
        }
        catch (StoreSealedException)
        {
            // Locked meanwhile: after the next unlock it is seen again that nothing is left.
        }
    }

    /// <summary>Start or stop as the owner's will. Saying it again is a change too: an app that waits for its next attempt is tried at once.</summary>
    /// <returns>The app, or null when there is none.</returns>
    public AppRecord? SetDesired(string name, DesiredState desired) => Change(name, app => app with { DesiredState = desired, UpdatedAt = Later(app) });

    /// <summary>Gives those of the app's listeners another guard port whose own cannot be bound; all others keep theirs.</summary>
    /// <returns>The app, or null when there is none or no port is left.</returns>
    internal AppRecord? MoveBusyGuardPorts(string name)
    {
        var moved = store.Commit(transaction =>
        {
            if (transaction.Get(AppRecord.Collection, name) is not { } app) return null;
            var taken = transaction.List(AppRecord.Collection).SelectMany(a => a.Ports).Select(p => p.GuardPort).ToHashSet();
            var next = new List<AppPorts>();
            foreach (var pair in app.Ports)
            {
                var port = ports.Guard.CanBind(pair.GuardPort) ? pair.GuardPort : ports.Guard.Allocate(taken);
                if (port is not { } free) return null;
                taken.Add(free);
                next.Add(pair with { GuardPort = free });
            }
            var record = app with { Ports = [.. next], UpdatedAt = Later(app) };
            if (!app.Ports.SequenceEqual(next)) transaction.Put(AppRecord.Collection, name, record);
            return record;
        });
        PublishListeners();
        return moved;
    }

    /// <summary>Gives a listener another LAN port, because a stranger has taken its own. Nothing changes when it has moved already.</summary>
    /// <param name="busy">The port that could not be bound.</param>
    /// <returns>The new port, or null when there is no such listener at that port or no port is left.</returns>
    public int? MoveBusyPublicPort(string app, string listener, int busy)
    {
        var moved = store.Commit<int?>(transaction =>
        {
            if (transaction.Get(AppRecord.Collection, app) is not { } record) return null;
            if (record.Ports.FirstOrDefault(p => p.Listener == listener && p.PublicPort == busy) is not { } pair) return null;
            var taken = transaction.List(AppRecord.Collection).SelectMany(a => a.Ports).Select(p => p.PublicPort).ToHashSet();
            if (ports.Public.Allocate(taken) is not { } free) return null;
            transaction.Put(AppRecord.Collection, app, record with { Ports = record.Ports.Replace(pair, pair with { PublicPort = free }) });
            return free;
        });
        PublishListeners();
        return moved;
    }

    /// <summary>Brings the listener table to what the store says now: empty while sealed.</summary>
    internal void PublishListeners()
    {
        // Reading and replacing are one step, so that the last one to come always leaves the latest picture.
        lock (_publishing)
        {
            try
            {
                listeners.Replace(store.IsOpen ? store.List(AppRecord.Collection).SelectMany(a => a.Listeners) : []);
            }
            catch (StoreSealedException)
            {
                listeners.Replace([]);
            }
        }
    }

    /// <summary>Now, but later than the app's last change even when the clock was set back: the supervisor tells commands apart by it.</summary>
    private DateTimeOffset Later(AppRecord app) => time.GetUtcNow() is var now && now > app.UpdatedAt ? now : app.UpdatedAt.AddTicks(1);

    private AppRecord? Change(string name, Func<AppRecord, AppRecord> change) => store.Commit(transaction =>
    {
        if (transaction.Get(AppRecord.Collection, name) is not { } app) return null;
        var next = change(app);
        transaction.Put(AppRecord.Collection, name, next);
        return next;
    });

    private static ImmutableArray<ManifestError> Conflicts(AppManifest manifest, List<AppRecord> others, Func<string, bool> isReservedLabel)
    {
        var errors = ImmutableArray.CreateBuilder<ManifestError>();
        if (others.Count >= MaxApps) errors.Add(new ManifestError("name", 0, $"There are already {MaxApps} apps; remove one first."));
        var owners = others.SelectMany(a => a.Manifest.Listeners.Select(l => (l.Name, App: a.Name))).ToLookup(l => l.Name, l => l.App, StringComparer.Ordinal);
        foreach (var (i, listener) in manifest.Listeners.Index())
        {
            var path = $"listeners[{i}].name";
            if (isReservedLabel(listener.Name)) errors.Add(new ManifestError(path, 0, $"The name '{listener.Name}' belongs to the appliance's own portal or an alias."));
            else if (owners[listener.Name].FirstOrDefault() is { } owner) errors.Add(new ManifestError(path, 0, $"The app '{owner}' already has a listener '{listener.Name}'."));
        }
        return errors.ToImmutable();
    }

    private ImmutableArray<AppPorts>? Allocate(AppManifest manifest, AppRecord? known, List<AppRecord> others)
    {
        // Ports of listeners that this manifest drops are taken until the change is stored, so that a new one does not race the old container for them.
        var kept = (known?.Ports ?? []).ToDictionary(p => p.Listener, StringComparer.Ordinal);
        var takenGuards = others.SelectMany(a => a.Ports).Concat(kept.Values).Select(p => p.GuardPort).ToHashSet();
        var takenPublics = others.SelectMany(a => a.Ports).Concat(kept.Values).Select(p => p.PublicPort).ToHashSet();
        var result = ImmutableArray.CreateBuilder<AppPorts>();
        foreach (var listener in manifest.Listeners)
        {
            if (!kept.TryGetValue(listener.Name, out var pair))
            {
                if (ports.Guard.Allocate(takenGuards) is not { } guard || ports.Public.Allocate(takenPublics) is not { } lan) return null;
                pair = new AppPorts(listener.Name, guard, lan);
                takenGuards.Add(guard);
                takenPublics.Add(lan);
            }
            result.Add(pair);
        }
        return result.ToImmutable();
    }
}
