using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes.Mounting;

namespace Piccolo.Core.Volumes;

/// <summary>
/// Before anything uses a volume: unmounts what a killed daemon has left. Then watches how full the volumes are, and at the daemon's end closes what its apps
/// have let go.
/// </summary>
internal sealed class VolumeUpkeep(
    StatePaths paths, SealedStore store, VolumeRows rows, VolumeMounts mounts, IVolumeMounter mounter, VolumeUsage usage, TimeProvider time,
        ILogger<VolumeUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Until then the apps of a killed daemon have been stopped in good order, and what still serves their volumes serves nobody.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    private readonly HashSet<string> _over = new(StringComparer.Ordinal);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await mounter.FindLeftAsync(cancellationToken);
        }
        catch (IOException e)
        {
            // Without it no volume is opened, which each app then says for itself.
            logger.MounterSilent(e.Message);
        }
        foreach (var name in Directory.Exists(paths.Mounts) ? Directory.EnumerateFileSystemEntries(paths.Mounts).Select(Path.GetFileName).ToList() : [])
            if (VolumeRecord.IsId(name!)) await CleanUpAsync(new VolumePaths(paths, name!), cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        foreach (var id in mounts.Mounted())
        {
            try
            {
                if (await mounts.UnmountAsync(new VolumePaths(paths, id), cancellationToken) is { } trouble) logger.VolumeLeftOpen(id, trouble.Why);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                logger.VolumeLeftOpen(id, e.Message);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ending = EndLeftAsync(stoppingToken);
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                try
                {
                    LookAtAll(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    logger.UsageFailed(e);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The daemon ends.
        }
        await ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task CleanUpAsync(VolumePaths volume, CancellationToken cancellationToken)
    {
        try
        {
            var error = await mounter.UnmountAsync(volume, lazily: false, cancellationToken);
            // In use by whom the daemon does not know: nobody gets at it by its name any more.
            if (error != 0) error = await mounter.UnmountAsync(volume, lazily: true, cancellationToken);
            if (error != 0) logger.VolumeLeftOpen(volume.Id, $"error {error}");
            else
            {
                MountPoint.Remove(volume.MountPoint);
                logger.MountLeftByKilled(volume.Id);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.VolumeLeftOpen(volume.Id, e.Message);
        }
    }

    private async Task EndLeftAsync(CancellationToken cancellationToken)
    {
        foreach (var id in mounter.Left)
        {
            try
            {
                await mounter.EndLeftAsync(id, Grace, kill: true, cancellationToken);
            }
            catch (IOException e)
            {
                logger.VolumeLeftOpen(id, e.Message);
            }
            mounts.Changed.Raise();
        }
    }

    private void LookAtAll(CancellationToken cancellationToken)
    {
        if (!store.IsOpen) return;
        try
        {
            var mounted = mounts.Mounted();
            foreach (var record in rows.List().Where(r => r.Key is not null))
            {
                cancellationToken.ThrowIfCancellationRequested();
                // What is not mounted does not grow.
                if (mounted.Contains(record.Id) || usage.Of(record.Id) is null) usage.Refresh(record.Id);
                Compare(record);
            }
        }
        catch (StoreSealedException)
        {
            // Locked meanwhile.
        }
    }

    private void Compare(VolumeRecord record)
    {
        var isOver = usage.Of(record.Id) > record.SizeLimitBytes;
        if (!(isOver ? _over.Add(record.Id) : _over.Remove(record.Id))) return;
        if (isOver) logger.VolumeOverLimit(record.App, record.Name, usage.Of(record.Id), record.SizeLimitBytes);
        mounts.Changed.Raise();
    }
}
