using System.Collections.Concurrent;
using System.Collections.Immutable;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Volumes;

/// <summary>
/// The volumes in the control store, and whose each is: what was once read is remembered, so that a locked appliance can still say which apps' volumes it
/// closes. Throws what the store throws. Thread-safe.
/// </summary>
internal sealed class VolumeRows(SealedStore store, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (string App, string Name)> _owners = new(StringComparer.Ordinal);

    public ImmutableArray<VolumeRecord> List()
    {
        ImmutableArray<VolumeRecord> records = [.. store.List(VolumeRecord.Collection)];
        foreach (var record in records) Remember(record);
        return records;
    }

    public IEnumerable<VolumeRecord> Of(string app) => List().Where(r => r.App == app);

    /// <summary>The app of a volume; a short form of the id where it was never read.</summary>
    public string AppOf(string id) => _owners.TryGetValue(id, out var owner) ? owner.App : $"volume {id[..8]}";

    /// <summary>The ids that are known to be the app's, without the store.</summary>
    public IEnumerable<string> KnownOf(string app) => _owners.Where(o => o.Value.App == app).Select(o => o.Key);

    /// <summary>The row of the volume, made where there is none, and brought to what is wanted now: another image empties a volume that follows it.</summary>
    public VolumeRecord Take(string app, WantedVolume wanted)
    {
        var record = store.Commit(transaction =>
        {
            var known = transaction.Get(VolumeRecord.Collection, VolumeRecord.KeyOf(app, wanted.Name));
            var next = known is null ? VolumeRecord.New(app, wanted, time.GetUtcNow()) : Adapted(known, wanted);
            if (next != known) transaction.Put(VolumeRecord.Collection, next.StoreKey, next);
            return next;
        });
        Remember(record);
        return record;
    }

    /// <returns>False where the volume was purged meanwhile.</returns>
    public bool Filled(VolumeRecord record, string? image) => store.Commit(transaction =>
    {
        if (transaction.Get(VolumeRecord.Collection, record.StoreKey) is not { Key: not null } now || now.Id != record.Id) return false;
        transaction.Put(VolumeRecord.Collection, now.StoreKey, now with { IsFilled = true, FilledFrom = image });
        return true;
    });

    /// <summary>Nothing of what was in the volume counts any more.</summary>
    public VolumeRecord Emptied(VolumeRecord record) => store.Commit(transaction =>
    {
        if (transaction.Get(VolumeRecord.Collection, record.StoreKey) is not { } now || now.Id != record.Id) return record;
        var next = now with { IsFilled = false, FilledFrom = null };
        transaction.Put(VolumeRecord.Collection, now.StoreKey, next);
        return next;
    });

    /// <summary>Destroys the keys of all volumes of the app: from here on their files open for nobody.</summary>
    public ImmutableArray<VolumeRecord> DestroyKeys(string app) => store.Commit(transaction =>
    {
        var shredded = transaction.List(VolumeRecord.Collection).Where(r => r.App == app).Select(r => r with { Key = null }).ToImmutableArray();
        foreach (var record in shredded) transaction.Put(VolumeRecord.Collection, record.StoreKey, record);
        return shredded;
    });

    /// <summary>Nothing is left of a volume whose key was destroyed.</summary>
    public void Remove(VolumeRecord record)
    {
        store.Commit(transaction =>
        {
            if (transaction.Get(VolumeRecord.Collection, record.StoreKey) is { Key: null } now && now.Id == record.Id)
                transaction.Delete(VolumeRecord.Collection, record.StoreKey);
        });
        _owners.TryRemove(record.Id, out _);
    }

    private static VolumeRecord Adapted(VolumeRecord known, WantedVolume wanted)
    {
        var next = known with { SizeLimitBytes = wanted.SizeLimitBytes };
        if (!known.IsFilled || known.FilledFrom is null) return next;
        if (wanted.Image is null) return next with { FilledFrom = null };
        return wanted.Image == known.FilledFrom ? next : next with { IsFilled = false, FilledFrom = null };
    }

    private void Remember(VolumeRecord record) => _owners[record.Id] = (record.App, record.Name);
}
