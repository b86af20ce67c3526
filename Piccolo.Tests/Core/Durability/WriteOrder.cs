namespace Piccolo.Tests.Core.Durability;

/// <summary>What a trace must show of a write that a power cut cannot halve. Each returns what is wrong, or null.</summary>
internal static class WriteOrder
{
    /// <summary>Temporary file written, flushed, renamed, folder flushed, and only then <paramref name="acknowledgement"/> made.</summary>
    public static string? OfReplacement(IReadOnlyList<SystemCall> trace, string path, string acknowledgement)
    {
        if (Acknowledged(trace, acknowledgement) is not { } said) return "it was never acknowledged";
        if (trace.Where(c => c.Renames && c.Succeeded && c.Paths[1] == path).ToList() is not [var rename]) return $"{path} is not renamed into its place, once";
        var temporary = rename.Path;
        if (!trace.Any(c => c.Creates && c.Succeeded && c.Path == temporary && c.Ended < rename.Started)) return $"{temporary} is not created";
        return FlushedBefore(trace, temporary, 0, rename) ?? FolderFlushed(trace, Path.GetDirectoryName(path)!, rename, said);
    }

    /// <summary>The log is written and flushed between the two marks.</summary>
    public static string? OfCommit(IReadOnlyList<SystemCall> trace, string log, string begin, string acknowledgement)
    {
        if (Acknowledged(trace, begin) is not { } begun) return "it never began";
        if (Acknowledged(trace, acknowledgement) is not { } said) return "it was never acknowledged";
        return FlushedBefore(trace, log, begun.Ended, said);
    }

    /// <summary>
    /// A folder made ready and moved into place: every file in it and every folder that got an entry is flushed, then the one rename, then the parent's flush
    /// before anything is moved out of it.
    /// </summary>
    public static string? OfMove(IReadOnlyList<SystemCall> trace, string from, string to)
    {
        if (trace.Where(c => c.Renames && c.Succeeded && c.Path == from && c.Paths[1] == to).ToList() is not [var move])
            return $"{from} is not renamed to {to}, once";
        var within = trace.Where(c => c.Succeeded && c.Ended < move.Started && c.Paths.Any(p => p.StartsWith(from + '/', StringComparison.Ordinal))).ToList();
        var files = within.Where(c => c.Creates).Select(c => c.Path).ToList();
        if (files.Count == 0) return $"nothing is put into {from}";
        foreach (var file in files)
        {
            // A file that got another name was flushed under the first.
            var end = within.FirstOrDefault(c => c.Renames && c.Path == file) ?? move;
            if (FlushedBefore(trace, file, 0, end) is { } wrong) return wrong;
        }
        foreach (var entry in within.Where(c => c.Creates || c.MakesFolder || c.Renames))
        {
            if (FolderFlushed(trace, Path.GetDirectoryName(entry.Paths[^1])!, entry, move) is { } wrong) return wrong;
        }
        var next = trace.FirstOrDefault(c => c.Started > move.Ended && (c.Renames || c.Removes) && c.Path.StartsWith(to, StringComparison.Ordinal));
        return next is null ? $"nothing is moved out of {to}" : FolderFlushed(trace, Path.GetDirectoryName(to)!, move, next);
    }

    /// <summary>What was moved out of a folder is named by the disk before the folder goes.</summary>
    public static string? OfMoveOut(IReadOnlyList<SystemCall> trace, string from, string to)
    {
        var moves = trace.Where(c => c.Renames && c.Succeeded && Path.GetDirectoryName(c.Path) == from && Path.GetDirectoryName(c.Paths[1]) == to).ToList();
        var removal = trace.FirstOrDefault(c => c.Removes && c.Succeeded && c.Path.StartsWith(from, StringComparison.Ordinal));
        if (moves.Count == 0 || removal is null) return $"nothing is moved from {from}, or it stays";
        return FolderFlushed(trace, to, moves[^1], removal);
    }

    private static SystemCall? Acknowledged(IReadOnlyList<SystemCall> trace, string mark) =>
        trace.FirstOrDefault(c => c.Creates && c.Succeeded && c.Path == mark);

    private static string? FlushedBefore(IReadOnlyList<SystemCall> trace, string path, int after, SystemCall end)
    {
        var written = trace.LastOrDefault(c => c.Writes && c.Path == path && c.Started > after && c.Started < end.Started);
        if (written is null) return $"{path} is not written";
        if (written.Ended > end.Started) return $"{path} is still being written when the next step begins";
        return trace.Any(c => (c.FlushesAll || (c.Flushes && c.Path == path)) && c.Succeeded && c.Started > written.Ended && c.Ended < end.Started) ? null
            : $"{path} is not flushed after its last write";
    }

    private static string? FolderFlushed(IReadOnlyList<SystemCall> trace, string folder, SystemCall change, SystemCall end) =>
        trace.Any(c => (c.FlushesAll || (c.Flushes && c.Path == folder)) && c.Succeeded && c.Started > change.Ended && c.Ended < end.Started) ? null
        : $"the folder {folder} is not flushed after {change.Name} of {change.Path}";
}
