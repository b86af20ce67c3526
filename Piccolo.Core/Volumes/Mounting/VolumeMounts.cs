using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>Mounts and unmounts volumes by their ids, and watches the processes that serve them. Thread-safe; one volume's calls come one at a time.</summary>
internal sealed class VolumeMounts(StatePaths paths, IVolumeMounter mounter, TimeProvider time, ILogger<VolumeMounts> logger) : IDisposable
{
    private static readonly TimeSpan MountLimit = TimeSpan.FromSeconds(20);

    /// <summary>A server ends a moment after its last user; one that does not end is still used, by a container for instance.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, VolumeServer> _servers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _broken = new(StringComparer.Ordinal);

    /// <summary>Raised when something was mounted or unmounted, and when a server has ended.</summary>
    public ChangeSignal Changed { get; } = new();

    /// <summary>Volumes that lost their server, until they are unmounted or mounted anew.</summary>
    public ImmutableArray<string> Broken => [.. _broken.Keys];

    /// <summary>What is mounted, by the kernel's table, and what has a server still.</summary>
    public ImmutableHashSet<string> Mounted() =>
        MountTable.NamesIn(paths.Mounts).Union(_servers.Where(s => s.Value.IsRunning).Select(s => s.Key)).Union(mounter.Left);

    /// <summary>Whether it is mounted and served, seen at the folder itself.</summary>
    public bool IsServed(VolumePaths volume) =>
        _servers.TryGetValue(volume.Id, out var server) && server.IsRunning && MountPoint.IsMounted(volume.MountPoint, out var isDead) && !isDead;

    /// <summary>Mounts a volume that is not mounted.</summary>
    /// <exception cref="IOException">The mount point.</exception>
    public async Task<VolumeTrouble?> MountAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        MountPoint.Prepare(volume.MountPoint);
        // Two servers of one directory would write over each other.
        if (await EndServersAsync(volume, kill: true, cancellationToken) is { } still) return still;
        AtomicFile.Write(volume.UncleanMark, []);
        VolumeServer server;
        try
        {
            server = await mounter.ServeAsync(program, volume, key, cancellationToken);
        }
        catch (IOException e)
        {
            return new VolumeTrouble(VolumeFaultKind.NotAvailable, $"gocryptfs does not start: {e.Message}");
        }
        _servers[volume.Id] = server;
        if (await BecomesMountedAsync(volume, server, cancellationToken))
        {
            _ = WatchAsync(server);
            _broken.TryRemove(volume.Id, out _);
            Changed.Raise();
            return null;
        }
        var why = server.IsRunning ? "gocryptfs did not mount it in time" : server.Words;
        var kind = server.IsRunning ? VolumeFaultKind.Failed : KindOf(why);
        await mounter.UnmountAsync(volume, lazily: true, CancellationToken.None);
        await EndServersAsync(volume, kill: true, CancellationToken.None);
        Forget(volume);
        cancellationToken.ThrowIfCancellationRequested();
        return new VolumeTrouble(kind, why);
    }

    /// <summary>Unmounts, and sees the server end. Nothing is forced: who still uses it keeps it.</summary>
    public async Task<VolumeTrouble?> UnmountAsync(VolumePaths volume, CancellationToken cancellationToken)
    {
        var wasServed = IsServed(volume);
        var error = await mounter.UnmountAsync(volume, lazily: false, cancellationToken);
        if (error == Posix.EBUSY) return new VolumeTrouble(VolumeFaultKind.Busy, "a program has files of it open");
        if (error != 0) return new VolumeTrouble(VolumeFaultKind.Failed, $"the kernel refused to unmount it (error {error})");
        if (await EndServersAsync(volume, kill: false, cancellationToken) is { } still) return still;
        // Only an end that was seen: what a killed server left is looked at before the next use.
        if (wasServed) File.Delete(volume.UncleanMark);
        Forget(volume);
        Changed.Raise();
        return null;
    }

    /// <summary>The processes stay: whether they end with the daemon is the service manager's business, and the next start cleans up.</summary>
    public void Dispose()
    {
        foreach (var server in _servers.Values) server.Dispose();
    }

    private void Forget(VolumePaths volume)
    {
        if (_servers.TryRemove(volume.Id, out var server)) server.Dispose();
        _broken.TryRemove(volume.Id, out _);
        MountPoint.Remove(volume.MountPoint);
    }

    private async Task<VolumeTrouble?> EndServersAsync(VolumePaths volume, bool kill, CancellationToken cancellationToken)
    {
        if (!await mounter.EndLeftAsync(volume.Id, EndLimit, kill, cancellationToken)) return StillUsed();
        if (!_servers.TryGetValue(volume.Id, out var server) || await server.EndsWithinAsync(EndLimit, time, cancellationToken)) return null;
        if (!kill) return StillUsed();
        await server.KillAsync();
        return null;
    }

    private static VolumeTrouble StillUsed() => new(VolumeFaultKind.Busy, "a container still uses it");

    /// <summary>
    /// The kernel lists a mount before its server is done with its own start: it then opens a file of its own in it, and who creates one at that moment waits
    /// for it while it waits for him, for ever. So the server's own word counts.
    /// </summary>
    private async Task<bool> BecomesMountedAsync(VolumePaths volume, VolumeServer server, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(server.Ready, server.Exited, Task.Delay(MountLimit, time, waiting.Token));
        await waiting.CancelAsync();
        return server.Ready.IsCompleted && server.IsRunning && MountPoint.IsMounted(volume.MountPoint, out var isDead) && !isDead;
    }

    /// <summary>The end of a server that nobody asked for.</summary>
    private async Task WatchAsync(VolumeServer server)
    {
        await server.Exited;
        // Unmounted: that is how a server is asked to end.
        if (_servers.TryGetValue(server.Id, out var current) && current == server
            && MountPoint.IsMounted(new VolumePaths(paths, server.Id).MountPoint, out _))
        {
            _broken[server.Id] = true;
            logger.ServerEnded(server.Id, server.Words);
        }
        Changed.Raise();
    }

    private static VolumeFaultKind KindOf(string words) => words.Contains("no space left", StringComparison.OrdinalIgnoreCase)
        ? VolumeFaultKind.Full
        : words.Contains("Password incorrect", StringComparison.Ordinal) || words.Contains("gocryptfs.conf", StringComparison.Ordinal)
            ? VolumeFaultKind.Damaged
            : VolumeFaultKind.Failed;
}
