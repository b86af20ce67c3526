using Microsoft.Win32.SafeHandles;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports;

/// <summary>
/// Puts an imported box into place so that a kill at any moment leaves the unclaimed box or the imported one: everything is made ready in a folder of its
/// own, renaming that folder is the one decisive step, and what then remains to be moved is moved at the next start if need be.
/// </summary>
public static class ImportPlacement
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Finishes what a killed process had decided, and drops what it had not. Before anything looks at the state folder.</summary>
    public static void Finish(StatePaths paths)
    {
        DropUndecided(paths);
        var ready = Ready(paths);
        if (!Directory.Exists(ready)) return;
        // The key set last: it is what makes the box a claimed one.
        Move(Path.Combine(ready, "volumes"), paths.Volumes);
        // What an earlier store left beside it would be taken for this one's.
        foreach (var stale in (string[])[paths.ControlStoreAnchor, paths.ControlStore + "-wal", paths.ControlStore + "-shm"]) File.Delete(stale);
        Move(Path.Combine(ready, "control.db"), paths.ControlStore);
        WriteSteps.Reached(WriteStep.Renamed, paths.ControlStore);
        Move(Path.Combine(ready, "keyset.json"), paths.KeySet);
        WriteSteps.Reached(WriteStep.Renamed, paths.KeySet);
        AtomicFile.FlushDirectory(paths.Root);
        WriteSteps.Reached(WriteStep.Durable, paths.KeySet);
        Directory.Delete(ready, recursive: true);
        AtomicFile.FlushDirectory(paths.Root);
    }

    internal static string Begin(StatePaths paths)
    {
        DropUndecided(paths);
        return Directory.CreateDirectory(Undecided(paths), OwnerOnly).FullName;
    }

    /// <summary>The decisive step.</summary>
    internal static void Decide(StatePaths paths)
    {
        WriteSteps.Reached(WriteStep.Written, Ready(paths));
        FlushTree(Undecided(paths));
        WriteSteps.Reached(WriteStep.Flushed, Ready(paths));
        Directory.Move(Undecided(paths), Ready(paths));
        WriteSteps.Reached(WriteStep.Renamed, Ready(paths));
        AtomicFile.FlushDirectory(paths.Root);
        WriteSteps.Reached(WriteStep.Durable, Ready(paths));
        Finish(paths);
    }

    internal static void DropUndecided(StatePaths paths)
    {
        if (Directory.Exists(Undecided(paths))) Directory.Delete(Undecided(paths), recursive: true);
    }

    /// <summary>A volume may have a million files: one call for the whole file system instead of one for each.</summary>
    private static void FlushTree(string folder)
    {
        using var handle = new SafeFileHandle(Posix.Open(folder, Posix.O_RDONLY | Posix.O_CLOEXEC), ownsHandle: true);
        if (handle.IsInvalid || Posix.SyncFileSystem(handle) != 0) throw Posix.Failure();
    }

    private static string Undecided(StatePaths paths) => Path.Combine(paths.Root, "import.unfinished");

    private static string Ready(StatePaths paths) => Path.Combine(paths.Root, "import.ready");

    private static void Move(string from, string to)
    {
        if (Directory.Exists(from))
        {
            // Only an empty one is ever in the way: see ImportIntake.IsOpenForImport.
            if (Directory.Exists(to)) Directory.Delete(to);
            Directory.Move(from, to);
        }
        else if (File.Exists(from)) File.Move(from, to, overwrite: true);
    }
}
