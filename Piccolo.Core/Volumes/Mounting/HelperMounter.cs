using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>
/// Mounts by a helper that runs with the right to do so, in the host's view of the file system. This process has neither, and sees what is mounted because
/// the service manager lets mounts of the host reach it.
/// </summary>
internal sealed class HelperMounter(StatePaths paths, MountHelperClient helper, TimeProvider time) : IVolumeMounter
{
    private const string Done = "done";

    /// <summary>Mounts on one another at one point; more than one are left by nothing that we know.</summary>
    private const int MaxMountsAtOnePoint = 8;

    private ImmutableDictionary<string, Task> _left = ImmutableDictionary.Create<string, Task>(StringComparer.Ordinal);

    public ImmutableHashSet<string> Left => [.. _left.Where(l => !l.Value.IsCompleted).Select(l => l.Key)];

    public async Task<VolumeFault?> RefusalAsync(CancellationToken cancellationToken)
    {
        string answer;
        try
        {
            answer = await helper.AskAsync("check", cancellationToken);
        }
        catch (IOException e)
        {
            return new VolumeFault(VolumeFaultKind.NotAvailable, $"No volume can be opened. {e.Message}", "Start it: systemctl start piccolo-volumes.socket");
        }
        if (answer == $"{Done} {paths.Root}") return null;
        return answer.StartsWith(Done, StringComparison.Ordinal)
            ? new VolumeFault(VolumeFaultKind.NotAvailable, "The mount helper works for another state folder, so no volume can be opened.",
                "Set PICCOLO_STATE of piccolo-volumes@.service to the state folder.")
            : new VolumeFault(VolumeFaultKind.NotAvailable, $"No volume can be opened. {answer}", "Look into the journal of piccolo-volumes.socket.");
    }

    public async Task FindLeftAsync(CancellationToken cancellationToken)
    {
        var ids = (await helper.AskAsync("list", cancellationToken)).Split('\n').Where(VolumeRecord.IsId);
        _left = ids.ToImmutableDictionary(id => id, WaitForEndAsync, StringComparer.Ordinal);
    }

    public async Task<bool> EndLeftAsync(string volume, TimeSpan limit, bool kill, CancellationToken cancellationToken)
    {
        if (!_left.TryGetValue(volume, out var end) || await EndsWithinAsync(end, limit, cancellationToken)) return true;
        if (!kill) return false;
        await helper.AskAsync($"kill {volume}", cancellationToken);
        return await EndsWithinAsync(end, limit, cancellationToken);
    }

    public async Task<VolumeServer> ServeAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        var stream = await helper.OpenAsync($"mount {volume.Id}", cancellationToken);
        var server = new HelperServer(volume.Id, helper, stream);
        await Gocryptfs.TellAsync(stream, key);
        return server;
    }

    public async Task<int> UnmountAsync(VolumePaths volume, bool lazily, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MaxMountsAtOnePoint && MountPoint.IsMounted(volume.MountPoint, out var isDead); i++)
        {
            var answer = await helper.AskAsync($"{(lazily || isDead ? "detach" : "unmount")} {volume.Id}", cancellationToken);
            if (answer == Done) continue;
            if (!MountPoint.IsMounted(volume.MountPoint, out _)) return 0;
            return answer.Contains("busy", StringComparison.OrdinalIgnoreCase) ? Posix.EBUSY : Posix.EINVAL;
        }
        return MountPoint.IsMounted(volume.MountPoint, out _) ? Posix.EINVAL : 0;
    }

    /// <summary>
    /// Ends with the gocryptfs of an earlier daemon, and where the helper breaks off: whoever mounts then finds its lock, and is refused.
    /// </summary>
    private async Task WaitForEndAsync(string volume)
    {
        try
        {
            await using var stream = await helper.OpenAsync($"wait {volume}", CancellationToken.None);
            var nothing = new byte[256];
            while (await stream.ReadAsync(nothing) > 0)
            {
            }
        }
        catch (IOException)
        {
            // As above.
        }
    }

    private async Task<bool> EndsWithinAsync(Task end, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(end, Task.Delay(limit, time, waiting.Token));
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return end.IsCompleted;
    }
}
