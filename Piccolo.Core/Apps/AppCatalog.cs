using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
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

    // Whoever gives a listener a port holds this: ports are tried by binding them, which is too slow for the store's own gate.
    private readonly Lock _allotting = new();

    /// <summary>Up to where an installation can be taken back.</summary>
    internal FetchGate Fetching { get; } = new();

    public IReadOnlyList<AppRecord> List() => [.. store.List(AppRecord.Collection).OrderBy(a => a.Name, StringComparer.Ordinal)];

    public AppRecord? Find(string name) => store.Get(AppRecord.Collection, name);

    /// <summary>Installs the app, or brings an installed one to the new manifest. Start and stop stay as they were wanted.</summary>
    /// <param name="rules">What other owners of names say to the names of listeners, asked inside the transaction.</param>
    public InstallOutcome Install(AppManifest manifest, string manifestText, ListenerNameRules rules)
    {
        InstallOutcome outcome;
        lock (_allotting)
        {
            var allotted = Allocate(manifest, store.List(AppRecord.Collection));
            outcome = store.Commit<InstallOutcome>(transaction =>
            {
                var apps = transaction.List(AppRecord.Collection);
                var known = apps.FirstOrDefault(a => a.Name == manifest.Name);
                var refusals = Refusals(manifest, [.. apps.Where(a => a.Name != manifest.Name)], rules(transaction)).ToLookup(r => r.IsInvalid, r => r.Error);
                if (refusals[true].Any()) return new InstallOutcome.Invalid([.. refusals[true]]);
                if (refusals[false].Any()) return new InstallOutcome.Conflict([.. refusals[false]]);
                if (known is not null && known.ManifestText == manifestText) return new InstallOutcome.Updated(known);
                if (allotted is not { } ports) return new InstallOutcome.NoPortLeft("No free port is left for the app's listeners.");
                var now = known is null ? time.GetUtcNow() : Later(known);
                var record = new AppRecord(
                    manifest.Name, manifestText, manifest, ports, known?.DesiredState ?? DesiredState.Running, known?.CreatedAt ?? now, now)
                {
                    ImageIds = Kept(known, manifest, known?.ImageIds),
                    ImageDigests = Kept(known, manifest, known?.ImageDigests),
                    LastUpdate = known?.LastUpdate,
                };
                transaction.Put(AppRecord.Collection, record.Name, record);
                AppSecrets.Complete(transaction, manifest);
                return known is null ? new InstallOutcome.Created(record) : new InstallOutcome.Updated(record) { Before = known };
            });
        }
        PublishListeners();
        return outcome;
    }

    /// <summary>
    /// Takes back what <see cref="Install"/> did, while its images are fetched and nothing of the app was touched: a new app goes, another one is again what it
    /// was before.
    /// </summary>
    /// <param name="before">The app as it was before; null = there was none.</param>
    /// <param name="rules">As at the installation: somebody may have taken a name meanwhile.</param>
    /// <returns>Whether that was done. Else it is too late: the work has gone on, or somebody changed the app meanwhile.</returns>
    public bool TakeBack(AppRecord installed, AppRecord? before, ListenerNameRules rules)
    {
        if (!Fetching.TryTakeBack(installed.Name, installed.UpdatedAt)) return false;
        var isDone = false;
        try
        {
            lock (_allotting) isDone = store.Commit(transaction => TakeBack(transaction, installed, before, rules));
        }
        finally
        {
            if (!isDone) Fetching.Reopen(installed.Name, installed.UpdatedAt);
        }
        PublishListeners();
        return isDone;
    }

    /// <summary>Removes the app. Its containers follow, sooner or later: the removal is kept until they are gone.</summary>
    /// <param name="purge">Whether its volumes and secrets go, too; else they stay for when it is installed again.</param>
    /// <param name="hasKeptVolumes">Whether volumes are left of it: what was kept of a removed app can be purged, too.</param>
    /// <returns>The removal that waits now; null when there was neither such an app nor anything to purge.</returns>
    public AppRemoval? Remove(string name, bool purge = false, bool hasKeptVolumes = false)
    {
        var removed = store.Commit(transaction =>
        {
            var hasKept = purge && (hasKeptVolumes || transaction.Get(AppSecrets.Collection, name) is not null);
            if (!transaction.Delete(AppRecord.Collection, name) && !hasKept) return null;
            var removal = new AppRemoval(name, time.GetUtcNow(), purge);
            transaction.Put(AppRemoval.Collection, name, removal);
            return removal;
        });
        PublishListeners();
        return removed;
    }

    /// <summary>Nothing is left of an app that was removed.</summary>
    internal void Removed(string name)
    {
        store.Commit(transaction =>
        {
            if (transaction.Get(AppRemoval.Collection, name) is { IsPurge: true }) transaction.Delete(AppSecrets.Collection, name);
            return transaction.Delete(AppRemoval.Collection, name);
        });
        Fetching.Forget(name);
    }

    /// <summary>Start or stop as the owner's will. Saying it again is a change too: an app that waits for its next attempt is tried at once.</summary>
    /// <returns>The app, or null when there is none.</returns>
    public AppRecord? SetDesired(string name, DesiredState desired) => Change(name, app => app with { DesiredState = desired, UpdatedAt = Later(app) });

    /// <summary>Wants the app's image to be fetched again, and the app to be recreated where that is a newer one.</summary>
    /// <returns>The app, or null when there is none.</returns>
    public AppRecord? AskUpdate(string name) => Change(name, app => Later(app) is var now ? app with { UpdateAsked = now, UpdatedAt = now } : app);

    /// <param name="asked">The wish that is done with; a later one stays.</param>
    /// <param name="imageIds">The newer images by service.</param>
    internal void Updated(string name, DateTimeOffset asked, AppUpdate update, ImmutableSortedDictionary<string, string> imageIds) =>
        Change(name, app => app with
        {
            UpdateAsked = app.UpdateAsked == asked ? null : app.UpdateAsked,
            LastUpdate = update,
            ImageIds = app.ImageIds.SetItems(imageIds),
        });

    /// <param name="digests">Of the images that the app's services are made of, by service.</param>
    internal void Fetched(string name, ImmutableSortedDictionary<string, string> digests)
    {
        if (Find(name) is not { } app || digests.All(d => app.ImageDigests.GetValueOrDefault(d.Key) == d.Value)) return;
        Change(name, now => now with
        {
            ImageDigests = now.ImageDigests.SetItems(digests.Where(d => now.Manifest.Services.Any(s => s.Name == d.Key))),
        });
    }

    /// <summary>Gives those of the app's listeners another guard port whose own cannot be bound; all others keep theirs.</summary>
    /// <returns>The app, or null when there is none or no port is left.</returns>
    internal AppRecord? MoveBusyGuardPorts(string name) => Move(name, (app, others) =>
    {
        var taken = others.SelectMany(a => a.Ports).Concat(app.Ports).Select(p => p.GuardPort).ToHashSet();
        var next = new List<AppPorts>();
        foreach (var pair in app.Ports)
        {
            var port = ports.Guard.CanBind(pair.GuardPort) ? pair.GuardPort : ports.Guard.Allocate(taken);
            if (port is not { } free) return null;
            taken.Add(free);
            next.Add(pair with { GuardPort = free });
        }
        return app with { Ports = [.. next], UpdatedAt = Later(app) };
    });

    /// <summary>Gives a listener another LAN port, because a stranger has taken its own. Nothing changes when it has moved already.</summary>
    /// <param name="busy">The port that could not be bound.</param>
    /// <returns>The new port, or null when there is no such listener at that port or no port is left.</returns>
    public int? MoveBusyPublicPort(string app, string listener, int busy)
    {
        int? port = null;
        var moved = Move(app, (record, others) =>
        {
            if (record.Ports.FirstOrDefault(p => p.Listener == listener && p.PublicPort == busy) is not { } pair) return null;
            var taken = others.SelectMany(a => a.Ports).Concat(record.Ports).Select(p => p.PublicPort).ToHashSet();
            if (ports.Public.Allocate(taken) is not { } free) return null;
            port = free;
            return record with { Ports = record.Ports.Replace(pair, pair with { PublicPort = free }) };
        });
        return moved is null ? null : port;
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

    private bool TakeBack(StoreTransaction transaction, AppRecord installed, AppRecord? before, ListenerNameRules rules)
    {
        var apps = transaction.List(AppRecord.Collection);
        if (apps.FirstOrDefault(a => a.Name == installed.Name) is not { } now || now.UpdatedAt != installed.UpdatedAt) return false;
        if (before is null)
        {
            transaction.Delete(AppRecord.Collection, now.Name);
            // One that waits already may be a purge.
            if (transaction.Get(AppRemoval.Collection, now.Name) is null)
                transaction.Put(AppRemoval.Collection, now.Name, new AppRemoval(now.Name, time.GetUtcNow()));
            return true;
        }
        List<AppRecord> others = [.. apps.Where(a => a.Name != now.Name)];
        var taken = others.SelectMany(a => a.Ports).SelectMany(p => new[] { p.GuardPort, p.PublicPort }).ToHashSet();
        if (before.Ports.Any(p => taken.Contains(p.GuardPort) || taken.Contains(p.PublicPort))) return false;
        if (Refusals(before.Manifest, others, rules(transaction)).Any()) return false;
        transaction.Put(AppRecord.Collection, now.Name, before with { UpdatedAt = Later(now) });
        return true;
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

    /// <param name="move">The app with other ports, or null where there are none to give. Ports are tried here, before the transaction.</param>
    private AppRecord? Move(string name, Func<AppRecord, IReadOnlyList<AppRecord>, AppRecord?> move)
    {
        AppRecord? moved;
        lock (_allotting)
        {
            var apps = store.List(AppRecord.Collection);
            if (apps.FirstOrDefault(a => a.Name == name) is not { } app || move(app, [.. apps.Where(a => a.Name != name)]) is not { } next) return null;
            // Ports change under this lock only; what else the record says may have changed meanwhile.
            moved = next.Ports.SequenceEqual(app.Ports)
                ? next
                : Change(name, now => now with { Ports = next.Ports, UpdatedAt = next.UpdatedAt > now.UpdatedAt ? next.UpdatedAt : now.UpdatedAt });
        }
        PublishListeners();
        return moved;
    }

    /// <summary>What is known of a service's image is kept while the manifest names the same one.</summary>
    private static ImmutableSortedDictionary<string, string> Kept(
        AppRecord? known, AppManifest manifest, ImmutableSortedDictionary<string, string>? images)
    {
        var none = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        if (known is null || images is null) return none;
        var before = known.Manifest.Services.ToDictionary(s => s.Name, s => s.Image, StringComparer.Ordinal);
        var same = manifest.Services.Where(s => before.GetValueOrDefault(s.Name) == s.Image).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        return none.AddRange(images.Where(i => same.Contains(i.Key)));
    }

    private static IEnumerable<(ManifestError Error, bool IsInvalid)> Refusals(
        AppManifest manifest, List<AppRecord> others, Func<string, NameRefusal?> rules)
    {
        if (others.Count >= MaxApps) yield return (new ManifestError("name", 0, $"There are already {MaxApps} apps; remove one first."), false);
        var owners = others.SelectMany(a => a.Manifest.Listeners.Select(l => (l.Name, App: a.Name))).ToLookup(l => l.Name, l => l.App, StringComparer.Ordinal);
        foreach (var (i, listener) in manifest.Listeners.Index())
        {
            var path = $"listeners[{i}].name";
            if (rules(listener.Name) is { } refusal) yield return (new ManifestError(path, 0, refusal.Message), refusal.IsInvalid);
            else if (owners[listener.Name].FirstOrDefault() is { } owner)
                yield return (new ManifestError(path, 0, $"The app '{owner}' already has a listener '{listener.Name}'."), false);
        }
    }

    private ImmutableArray<AppPorts>? Allocate(AppManifest manifest, IReadOnlyList<AppRecord> apps)
    {
        var known = apps.FirstOrDefault(a => a.Name == manifest.Name);
        var others = apps.Where(a => a.Name != manifest.Name).ToList();
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
