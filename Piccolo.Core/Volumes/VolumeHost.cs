using System.Globalization;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes;

/// <summary>Whether this process can mount volumes so that containers see them. Each reason is one sentence.</summary>
internal sealed class VolumeHost(StatePaths paths, Gocryptfs tool)
{
    private const string FuseDevice = "/dev/fuse";
    private const int AdministratorBit = 21;

    private (string Program, DateTime Written)? _accepted;

    /// <returns>The program, or why there is none.</returns>
    public async Task<(string? Program, VolumeFault? Fault)> FindAsync(CancellationToken cancellationToken)
    {
        if (RefusalOfHost() is { } refusal) return (null, refusal);
        var program = Gocryptfs.Find("gocryptfs");
        if (program is null) return (null, Missing("The program gocryptfs is not installed, so no volume can be opened.", "Install the package gocryptfs."));
        if (Gocryptfs.Find("fusermount3") is null && Gocryptfs.Find("fusermount") is null)
            return (null, Missing("The program fusermount is not installed, so no volume can be opened.", "Install the package fuse3."));
        var written = File.GetLastWriteTimeUtc(program);
        if (_accepted == (program, written)) return (program, null);
        var answer = await tool.VersionAsync(program, cancellationToken);
        if ((answer.IsDone ? GocryptfsVersion.Refusal(answer.Text) : "The program gocryptfs cannot be run.") is { } wrong)
            return (null, Missing($"No volume can be opened. {wrong}", "Install another version of gocryptfs: 2.3, 2.4, or 2.5.1 and later."));
        _accepted = (program, written);
        return (program, null);
    }

    private VolumeFault? RefusalOfHost()
    {
        if (!File.Exists(FuseDevice))
            return Missing("This system has no /dev/fuse, so no volume can be opened.",
                "Load the kernel's module 'fuse', or give the service the device /dev/fuse.");
        if (!IsAdministrator(File.ReadAllText("/proc/self/status")))
            return Missing(
                "The service may not mount file systems (CAP_SYS_ADMIN), so no volume can be opened.", "Start it with the right to mount.");
        return SharesMounts()
            ? null
            : Missing("The service has a view of the file system of its own, in which containers would not see a volume.",
                "Start it in the host's mount name space.");
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
