using Piccolo.Core.Volumes.Mounting;

namespace Piccolo.Core.Volumes;

/// <summary>Whether volumes can be mounted here so that containers see them. Each reason is one sentence.</summary>
internal sealed class VolumeHost(IVolumeMounter mounter, Gocryptfs tool)
{
    private (string Program, DateTime Written)? _accepted;

    /// <returns>The program, or why there is none.</returns>
    public async Task<(string? Program, VolumeFault? Fault)> FindAsync(CancellationToken cancellationToken)
    {
        if (await mounter.RefusalAsync(cancellationToken) is { } refusal) return (null, refusal);
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

    private static VolumeFault Missing(string sentence, string nextStep) => new(VolumeFaultKind.NotAvailable, sentence, nextStep);
}
