using System.Formats.Tar;
using Piccolo.Core.Exports.Trees;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports;

/// <summary>How far an export is.</summary>
/// <param name="Phase">Two plain words at most.</param>
/// <param name="Done">Bytes of the phase.</param>
/// <param name="Total">Null where the phase has none.</param>
public readonly record struct ExportProgress(string Phase, long Done = 0, long? Total = null);

/// <summary>
/// What goes into the sealed part of an export, as a tar: the store's copy; in a full one the contents before it and the volumes' ciphertext behind it, one app
/// after the other, each stopped only while its own volumes are copied.
/// </summary>
internal sealed class ExportContent(StatePaths paths, IExportedVolumes source, ExportRoom room, Action<ExportProgress> progress)
{
    public const string StoreName = "control.db";
    public const string VolumePrefix = "volumes/";

    /// <summary>Bytes between two words of progress.</summary>
    private const long Told = 1024 * 1024;

    /// <param name="selection">Null = no volumes are copied, and none are mentioned.</param>
    /// <exception cref="ExportFailedException">A volume cannot be copied whole.</exception>
    public async Task WriteAsync(Stream destination, string storeCopy, ExportSelection? selection, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(destination, TarEntryFormat.Pax, leaveOpen: true);
        var length = new FileInfo(storeCopy).Length;
        progress(new ExportProgress("writing", 0, length));
        if (selection is not null)
        {
            var contents = new ExportContents { Volumes = selection.Volumes, LeftOut = selection.LeftOut };
            await WriteAsync(tar, ExportContents.EntryName, contents.Write(), cancellationToken);
        }
        await tar.WriteEntryAsync(storeCopy, StoreName, cancellationToken);
        progress(new ExportProgress("writing", length, length));
        if (selection is null) return;
        var copied = 0L;
        var total = 0L;
        var phase = "";
        var trees = new TreeWriter(tar, TreeLimits.Default, count =>
        {
            room.Take(count);
            copied += count;
            if (copied / Told != (copied - count) / Told) progress(new ExportProgress(phase, copied, Math.Max(copied, total)));
        });
        foreach (var volumes in selection.Volumes.GroupBy(v => v.App))
        {
            progress(new ExportProgress($"stopping {volumes.Key}"));
            using var hold = await source.HoldAsync(volumes.Key, cancellationToken);
            (copied, total, phase) = (0, volumes.Sum(v => Measure(v)), $"copying {volumes.Key}");
            progress(new ExportProgress(phase, 0, total));
            foreach (var volume in volumes) await WriteAsync(tar, trees, volume, cancellationToken);
            progress(new ExportProgress(phase, copied, copied));
        }
        if (source.Select().Stamp != selection.Stamp)
            throw new ExportFailedException(
                "apps_changed", "Apps were installed, changed or removed while the export was made, so that it does not fit together. Make it again.");
    }

    /// <summary>What the volumes take, as long as nobody stops for it: about.</summary>
    public long Measure(ExportSelection selection) => selection.Volumes.Sum(Measure);

    private async Task WriteAsync(TarWriter tar, TreeWriter trees, ExportedVolume volume, CancellationToken cancellationToken)
    {
        var name = VolumePrefix + volume.Id;
        try
        {
            var summary = await trees.WriteAsync(Path.Combine(paths.Volumes, volume.Id), name, cancellationToken);
            await WriteAsync(
                tar, TreeSummary.NameOf(name), System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(summary, ExportContents.Json), cancellationToken);
        }
        catch (TreeUnreadableException e)
        {
            throw Unreadable(volume, e);
        }
    }

    private long Measure(ExportedVolume volume)
    {
        try
        {
            return TreeWriter.Measure(Path.Combine(paths.Volumes, volume.Id));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An app that runs deletes files while they are counted; and what is really wrong is said when they are read.
            return 0;
        }
    }

    private static async Task WriteAsync(TarWriter tar, string name, byte[] content, CancellationToken cancellationToken) =>
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }, cancellationToken);

    private static ExportFailedException Unreadable(ExportedVolume volume, Exception e) => new(
        "volume_unreadable",
        $"The volume '{volume.Name}' of the app '{volume.App}' cannot be read whole: {e.Message.TrimEnd('.')}. No export was made.",
        e);
}
