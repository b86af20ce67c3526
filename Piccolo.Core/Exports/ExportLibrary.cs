using System.Text.RegularExpressions;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports;

/// <summary>An export file on the device.</summary>
public sealed record ExportInfo(string Id, ExportKind Kind, DateTimeOffset CreatedAt, long Bytes, long Revision);

/// <summary>The finished export files of the device. What is listed is whole: a file gets its name when its last byte is durable. Thread-safe.</summary>
public sealed partial class ExportLibrary(StatePaths paths)
{
    private const string Extension = ".piccolo";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Newest first. A file that is not an export of ours is left out.</summary>
    public async Task<IReadOnlyList<ExportInfo>> ListAsync(CancellationToken cancellationToken)
    {
        var found = new List<ExportInfo>();
        if (!Directory.Exists(paths.Exports)) return found;
        foreach (var path in Directory.EnumerateFiles(paths.Exports, "*" + Extension))
        {
            if (await DescribeAsync(path, cancellationToken) is { } info) found.Add(info);
        }
        return [.. found.OrderByDescending(e => e.CreatedAt).ThenByDescending(e => e.Id, StringComparer.Ordinal)];
    }

    /// <returns>The file's path, or null when there is no such export.</returns>
    public string? Find(string id) => IdPattern.IsMatch(id) && PathOf(id) is var path && File.Exists(path) ? path : null;

    public bool Delete(string id)
    {
        if (Find(id) is not { } path) return false;
        File.Delete(path);
        return true;
    }

    internal string PathOf(string id) => Path.Combine(paths.Exports, id + Extension);

    /// <summary>Deletes what a killed process has not finished, which may be as large as all volumes. Before anything writes an export.</summary>
    public static void DropUnfinished(StatePaths paths)
    {
        if (Directory.Exists(WorkFolder(paths))) Directory.Delete(WorkFolder(paths), recursive: true);
    }

    /// <summary>A folder for what is not finished.</summary>
    internal string PrepareWorkFolder()
    {
        Directory.CreateDirectory(paths.Exports, OwnerOnly);
        DropUnfinished(paths);
        return Directory.CreateDirectory(WorkFolder(paths), OwnerOnly).FullName;
    }

    /// <param name="newest">Stays whatever the clock said when it was made.</param>
    internal async Task TrimAsync(int keep, string newest, CancellationToken cancellationToken)
    {
        foreach (var old in (await ListAsync(cancellationToken)).Where(e => e.Id != newest).Skip(keep - 1)) Delete(old.Id);
    }

    private static string WorkFolder(StatePaths paths) => Path.Combine(paths.Exports, "unfinished");

    internal static async Task<ExportInfo?> DescribeAsync(string path, CancellationToken cancellationToken)
    {
        var id = Path.GetFileNameWithoutExtension(path);
        if (!IdPattern.IsMatch(id)) return null;
        try
        {
            await using var file = StateFile.OpenRead(path);
            var (header, _) = await ExportHeader.ReadAsync(file, cancellationToken);
            return new ExportInfo(id, header.Kind, header.CreatedAt, file.Length, header.Revision);
        }
        catch (Exception e) when (e is ExportInvalidException or IOException)
        {
            return null;
        }
    }

    [GeneratedRegex("^[0-9]{8}T[0-9]{6}Z-(control|full)-[0-9a-f]{8}$", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern { get; }
}
