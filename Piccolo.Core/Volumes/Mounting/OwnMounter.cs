using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>Mounts in this process, whose children the servers are.</summary>
internal sealed class OwnMounter(StatePaths paths, LeftServers left) : IVolumeMounter
{
    private const string FuseDevice = "/dev/fuse";
    private const int AdministratorBit = 21;

    public ImmutableHashSet<string> Left => left.Volumes();

    public Task<VolumeFault?> RefusalAsync(CancellationToken cancellationToken) => Task.FromResult(Refusal());

    public Task FindLeftAsync(CancellationToken cancellationToken)
    {
        left.Find();
        return Task.CompletedTask;
    }

    public Task<bool> EndLeftAsync(string volume, TimeSpan limit, bool kill, CancellationToken cancellationToken) =>
        left.EndAsync(volume, limit, kill, cancellationToken);

    public async Task<VolumeServer> ServeAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        Process process;
        try
        {
            // In the foreground, so that its end is seen, and not quiet: it says when it is ready. Other users are let in, because the processes of a
            // container are others.
            process = Gocryptfs.Start(program, ["-fg", "-nosyslog", "-allow_other", "-fsname", "piccolo-volume", "--", volume.Cipher, volume.MountPoint]);
        }
        catch (Win32Exception e)
        {
            throw new IOException(e.Message, e);
        }
        var server = new ChildServer(volume.Id, process);
        await Gocryptfs.TellAsync(process.StandardInput.BaseStream, key);
        process.StandardInput.Close();
        return server;
    }

    public Task<int> UnmountAsync(VolumePaths volume, bool lazily, CancellationToken cancellationToken) =>
        Task.FromResult(MountPoint.Unmount(volume.MountPoint, lazily));

    private VolumeFault? Refusal()
    {
        if (!File.Exists(FuseDevice))
            return Missing("This system has no /dev/fuse, so no volume can be opened.",
                "Load the kernel's module 'fuse', or give the service the device /dev/fuse.");
        if (!IsAdministrator(File.ReadAllText("/proc/self/status")))
            return Missing(
                "The service may not mount file systems (CAP_SYS_ADMIN), so no volume can be opened.",
                "Start it with the right to mount, or with the unit piccolo-volumes.socket and Piccolo:Volumes:Helper.");
        return SharesMounts()
            ? null
            : Missing("The service has a view of the file system of its own, in which containers would not see a volume.",
                "Start it in the host's mount name space, or with the unit piccolo-volumes.socket and Piccolo:Volumes:Helper.");
    }

    internal static bool IsAdministrator(string status) =>
        status.Split('\n').FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal)) is { } line
        && ulong.TryParse(line["CapEff:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var capabilities)
        && (capabilities & (1UL << AdministratorBit)) != 0;

    private bool SharesMounts()
    {
        var root = paths.Root;
        var at = MountTable.Read().Where(m => m.Point == "/" || m.Point == root || root.StartsWith(m.Point + "/", StringComparison.Ordinal))
            .MaxBy(m => m.Point.Length);
        return SharesMounts(LinkOf("/proc/1/ns/mnt"), LinkOf("/proc/self/ns/mnt"), at);
    }

    /// <summary>Whether what is mounted here is mounted for the rest of the host too.</summary>
    /// <param name="first">The mount name space of process 1; null where it may not be read, which says nothing.</param>
    /// <param name="at">The mount that the state folder lies on.</param>
    internal static bool SharesMounts(string? first, string? own, MountEntry? at) =>
        first is not null && first == own || at is { IsFollower: false } && (first is null || at.IsShared);

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static VolumeFault Missing(string sentence, string nextStep) => new(VolumeFaultKind.NotAvailable, sentence, nextStep);
}
