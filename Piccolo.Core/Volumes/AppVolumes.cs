using Piccolo.Core.Volumes.Filling;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes.Mounting;

namespace Piccolo.Core.Volumes;

/// <summary>Volumes by gocryptfs. A row of the store has a volume's key and its folder's name; <see cref="VolumeMounts"/> mounts it.</summary>
internal sealed class AppVolumes(
    StatePaths paths, SealedStore store, VolumeRows rows, VolumeHost host, VolumeMounts mounts, VolumeFiller filler, VolumeUsage usage,
        ILogger<AppVolumes> logger) : IAppVolumes
{
    private static readonly VolumeTrouble IsLocked = new(VolumeFaultKind.Locked, "the appliance is locked");
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _gates = new(StringComparer.Ordinal);

    public ChangeSignal Changed => mounts.Changed;

    public async Task<VolumeResult> OpenAsync(string app, ImmutableArray<WantedVolume> volumes, CancellationToken cancellationToken)
    {
        if (volumes.IsEmpty) return new VolumeResult(ImmutableSortedDictionary<string, string>.Empty, null);
        var folders = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        using var turn = await TurnOfAsync(app, cancellationToken);
        var mounted = new List<VolumePaths>();
        if (!store.IsOpen) return new VolumeResult(null, FaultOf(app, volumes[0].Name, IsLocked));
        var (program, refusal) = await host.FindAsync(cancellationToken);
        if (program is null) return new VolumeResult(null, refusal);
        foreach (var wanted in volumes)
        {
            var (volume, trouble) = await GuardedAsync(() => OpenOneAsync(program, app, wanted, mounted, cancellationToken));
            if (trouble is not null)
            {
                // What this call has opened it closes: half of an app's volumes are of no use.
                foreach (var done in mounted) await GuardedAsync(() => mounts.UnmountAsync(done, CancellationToken.None));
                return new VolumeResult(null, FaultOf(app, wanted.Name, trouble));
            }
            folders[wanted.Name] = volume!.MountPoint;
        }
        return new VolumeResult(folders.ToImmutable(), null);
    }

    public async Task<VolumeFault?> CloseAsync(string app, CancellationToken cancellationToken)
    {
        using var turn = await TurnOfAsync(app, cancellationToken);
        return await CloseAllAsync(app, cancellationToken);
    }

    public async Task<VolumeFault?> PurgeAsync(string app, CancellationToken cancellationToken)
    {
        using var turn = await TurnOfAsync(app, cancellationToken);
        if (!store.IsOpen) return FaultOf(app, null, IsLocked);
        // What is still used would be written on by a server without a folder.
        if (await CloseAllAsync(app, cancellationToken) is { } busy) return busy;
        return await GuardedAsync(async Task<VolumeTrouble?> () =>
        {
            foreach (var record in rows.DestroyKeys(app))
            {
                await RemoveAsync(record, cancellationToken);
                logger.VolumePurged(app, record.Name);
            }
            mounts.Changed.Raise();
            return null;
        }) is { } trouble ? FaultOf(app, null, trouble) : null;
    }

    public ImmutableArray<string> Mounted() => Apps(mounts.Mounted());

    public ImmutableArray<string> Broken() => Apps(mounts.Broken);

    public ImmutableArray<VolumeView> List()
    {
        if (!store.IsOpen) return [];
        try
        {
            var mounted = mounts.Mounted();
            return [.. rows.List().Where(r => r.Key is not null).OrderBy(r => r.StoreKey, StringComparer.Ordinal).Select(r =>
                new VolumeView(r.App, r.Name, r.SizeLimitBytes, usage.Of(r.Id), r.CreatedAt, mounted.Contains(r.Id)))];
        }
        catch (Exception e) when (e is StoreSealedException or StoreFaultException)
        {
            // Locked meanwhile, or a fault that the store itself reports.
            return [];
        }
    }

    public ImmutableArray<StoredVolume> Stored() =>
        [.. rows.List().Where(r => r is { Key: not null, IsFilled: true }).OrderBy(r => r.StoreKey, StringComparer.Ordinal)
            .Select(r => new StoredVolume(r.App, r.Name, r.Id, r.FilledFrom is not null))];

    public async Task<(IDisposable? Turn, VolumeFault? Fault)> RestAsync(string app, CancellationToken cancellationToken)
    {
        var turn = await TurnOfAsync(app, cancellationToken);
        if (!Mounted().Contains(app)) return (turn, null);
        turn.Dispose();
        return (null, FaultOf(app, null, new VolumeTrouble(VolumeFaultKind.Busy, "it is still open")));
    }

    private ImmutableArray<string> Apps(IEnumerable<string> ids) => [.. ids.Select(rows.AppOf).Distinct().Order(StringComparer.Ordinal)];

    private async Task<(VolumePaths?, VolumeTrouble?)> OpenOneAsync(
        string program, string app, WantedVolume wanted, List<VolumePaths> mounted, CancellationToken cancellationToken)
    {
        var record = rows.Take(app, wanted);
        if (record.Key is null)
        {
            // A purge that did not come to its end.
            await RemoveAsync(record, cancellationToken);
            record = rows.Take(app, wanted);
        }
        var volume = new VolumePaths(paths, record.Id);
        if (record.IsFilled && wanted.CanBeMadeAnew && !Directory.Exists(volume.Cipher))
        {
            logger.VolumeMadeAnew(app, record.Name);
            record = rows.Emptied(record);
        }
        var key = record.Key!;
        try
        {
            if (record.IsFilled && record.FilledFrom is null && wanted.Image is not null)
                return (null, new VolumeTrouble(VolumeFaultKind.Failed, "it holds the app's data, and its image would empty it from now on"));
            if (record.IsFilled && mounts.IsServed(volume)) return (volume, null);
            if (await mounts.UnmountAsync(volume, cancellationToken) is { } used) return (null, used);
            volume.CreateParents();
            if ((record.IsFilled
                ? await CheckAsync(program, volume, record, cancellationToken)
                : await filler.MakeEmptyAsync(program, volume, key, cancellationToken)) is { } wrong) return (null, wrong);
            if (await mounts.MountAsync(program, volume, key, cancellationToken) is { } trouble) return (null, trouble);
            mounted.Add(volume);
            if (!record.IsFilled && await filler.FillAsync(volume, record, wanted, cancellationToken) is { } unfilled) return (null, unfilled);
            // Seen at the folder itself, at the last moment before it is handed out.
            return mounts.IsServed(volume) ? (volume, null) : (null, new VolumeTrouble(VolumeFaultKind.Failed, "its server ended right after the start"));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Of a volume that holds data and is not mounted.</summary>
    private async Task<VolumeTrouble?> CheckAsync(string program, VolumePaths volume, VolumeRecord record, CancellationToken cancellationToken)
    {
        if (!File.Exists(volume.Configuration)) return new VolumeTrouble(VolumeFaultKind.Damaged, "its files are gone from the disk");
        var used = record.SizeLimitBytes is null && !File.Exists(volume.UncleanMark) ? null : usage.Measure(volume);
        if (used > record.SizeLimitBytes) return new VolumeTrouble(VolumeFaultKind.Full, $"it holds {used} bytes, and its limit is {record.SizeLimitBytes}");
        if (File.Exists(volume.UncleanMark)) await filler.LookAfterUncleanEndAsync(program, volume, record, used, cancellationToken);
        return null;
    }

    private async Task<VolumeFault?> CloseAllAsync(string app, CancellationToken cancellationToken)
    {
        VolumeFault? first = null;
        foreach (var id in IdsOf(app))
        {
            var volume = new VolumePaths(paths, id);
            if (await GuardedAsync(() => mounts.UnmountAsync(volume, cancellationToken)) is { } trouble) first ??= FaultOf(app, null, trouble);
        }
        return first;
    }

    private ImmutableHashSet<string> IdsOf(string app)
    {
        try
        {
            if (store.IsOpen) return [.. rows.Of(app).Select(r => r.Id), .. rows.KnownOf(app)];
        }
        catch (Exception e) when (e is StoreSealedException or StoreFaultException)
        {
            // What was read before is known without the store.
        }
        return [.. rows.KnownOf(app)];
    }

    /// <summary>The files of a volume whose key was destroyed, then its row.</summary>
    private async Task RemoveAsync(VolumeRecord record, CancellationToken cancellationToken)
    {
        var volume = new VolumePaths(paths, record.Id);
        await Task.Run(() => TreeRemoval.Delete(volume.Folder, cancellationToken), cancellationToken);
        MountPoint.Remove(volume.MountPoint);
        rows.Remove(record);
        usage.Forget(record.Id);
    }

    private static async Task<VolumeTrouble?> GuardedAsync(Func<Task<VolumeTrouble?>> action) => (await GuardedAsync(async () => (0, await action()))).Trouble;

    private static async Task<(T? Value, VolumeTrouble? Trouble)> GuardedAsync<T>(Func<Task<(T?, VolumeTrouble?)>> action)
    {
        try
        {
            return await action();
        }
        catch (StoreSealedException)
        {
            return (default, IsLocked);
        }
        catch (StoreFaultException e)
        {
            return (default, new VolumeTrouble(e.Code == FaultCode.DiskFull ? VolumeFaultKind.Full : VolumeFaultKind.Failed, e.Message));
        }
        catch (IOException e)
        {
            return (default, VolumeFiller.TroubleOf(e));
        }
        catch (UnauthorizedAccessException e)
        {
            return (default, new VolumeTrouble(VolumeFaultKind.Failed, e.Message));
        }
    }

    private VolumeFault FaultOf(string app, string? name, VolumeTrouble trouble)
    {
        if (trouble.Kind is not (VolumeFaultKind.Locked or VolumeFaultKind.Busy)) logger.VolumeFailed(app, name ?? "*", trouble.Kind, trouble.Why);
        var which = name is null ? "A volume" : $"The volume '{name}'";
        return new VolumeFault(trouble.Kind, $"{which} of the app '{app}' cannot be used: {trouble.Why}.", trouble.Kind switch
        {
            VolumeFaultKind.NotAvailable => "Install gocryptfs and fuse3, then start the app again.",
            VolumeFaultKind.Locked => "Unlock the appliance.",
            VolumeFaultKind.Full => "Free some of the disk, or give the volume a larger size_limit.",
            VolumeFaultKind.Busy => "Stop what uses it; this is tried again.",
            VolumeFaultKind.Damaged => "Restore the volume from a backup, or remove the app with its data.",
            _ => "Look into the log of the appliance; this is tried again.",
        });
    }

    private async Task<Turn> TurnOfAsync(string app, CancellationToken cancellationToken)
    {
        var gate = _gates.GetOrAdd(app, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        return new Turn(gate);
    }

    /// <summary>Given back once, however often it is disposed.</summary>
    private sealed class Turn(SemaphoreSlim gate) : IDisposable
    {
        private SemaphoreSlim? _gate = gate;

        public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Release();
    }
}
