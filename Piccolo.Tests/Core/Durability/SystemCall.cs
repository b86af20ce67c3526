namespace Piccolo.Tests.Core.Durability;

/// <summary>One system call of a trace.</summary>
/// <param name="Started">The line on which it began; lines are in the order of time.</param>
/// <param name="Ended">The line on which it returned; the same one, unless another thread's call came between.</param>
/// <param name="Paths">The files it was about, in the order of its arguments. Never what was written.</param>
/// <param name="Succeeded">False also where the process died in it.</param>
internal sealed record SystemCall(int Started, int Ended, string Name, IReadOnlyList<string> Paths, bool Creates, bool Succeeded)
{
    public string Path => Paths.Count > 0 ? Paths[0] : "";

    public bool Writes => Name is "write" or "pwrite64" or "writev" or "pwritev" or "ftruncate";

    public bool Flushes => Name is "fsync" or "fdatasync";

    /// <summary>All of the file system that the path lies on.</summary>
    public bool FlushesAll => Name is "syncfs";

    public bool Renames => Name is "rename" or "renameat" or "renameat2";

    public bool Removes => Name is "unlink" or "unlinkat" or "rmdir";

    public bool MakesFolder => Name is "mkdir" or "mkdirat";
}
