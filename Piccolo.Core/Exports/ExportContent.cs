using System.Formats.Tar;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports;

/// <summary>What goes into the sealed part of an export: a tar of the store's copy and, in a full one, the volumes' ciphertext.</summary>
internal static class ExportContent
{
    public const string StoreName = "control.db";
    public const string VolumePrefix = "volumes/";

    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = false, AttributesToSkip = 0, IgnoreInaccessible = false };

    public static long Measure(StatePaths paths, ExportKind kind, string storeCopy) =>
        new FileInfo(storeCopy).Length + (kind == ExportKind.Full ? Volumes(paths).OfType<FileInfo>().Where(f => f.LinkTarget is null).Sum(f => f.Length) : 0);

    /// <param name="written">Told the bytes of each file that is in.</param>
    public static async Task WriteAsync(
        Stream destination, StatePaths paths, ExportKind kind, string storeCopy, Action<long> written, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(destination, TarEntryFormat.Pax, leaveOpen: true);
        await tar.WriteEntryAsync(storeCopy, StoreName, cancellationToken);
        written(new FileInfo(storeCopy).Length);
        if (kind != ExportKind.Full) return;
        foreach (var item in Volumes(paths))
        {
            // Sockets and the like have no place in a volume's ciphertext.
            if (item is FileInfo { LinkTarget: null } special && (special.Attributes & (FileAttributes.Device | FileAttributes.System)) != 0) continue;
            await tar.WriteEntryAsync(item.FullName, VolumePrefix + Path.GetRelativePath(paths.Volumes, item.FullName), cancellationToken);
            if (item is FileInfo { LinkTarget: null } file) written(file.Length);
        }
    }

    /// <summary>Folders before what is in them; links are not followed.</summary>
    private static IEnumerable<FileSystemInfo> Volumes(StatePaths paths) => Directory.Exists(paths.Volumes) ? Below(new DirectoryInfo(paths.Volumes)) : [];

    private static IEnumerable<FileSystemInfo> Below(DirectoryInfo folder)
    {
        foreach (var item in folder.EnumerateFileSystemInfos("*", Everything))
        {
            yield return item;
            if (item is not DirectoryInfo { LinkTarget: null } inner) continue;
            foreach (var deeper in Below(inner)) yield return deeper;
        }
    }
}
