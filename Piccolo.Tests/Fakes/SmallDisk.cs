using System.Diagnostics;

namespace Piccolo.Tests.Fakes;

/// <summary>A real file system of a few pages (tmpfs), for what happens when it is full.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int Size = 64 * 1024;

    private readonly TempFolder _folder = new();

    public SmallDisk() => Run("mount", "-t", "tmpfs", "-o", $"size={Size}", "tmpfs", Path);

    public string Path => _folder.Path;

    /// <summary>Until not one byte more fits.</summary>
    public void Fill()
    {
        using var filler = new FileStream(System.IO.Path.Combine(Path, "filler"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var i = 0; i < Size; i++) filler.Write(new byte[512]);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public void Dispose()
    {
        Run("umount", Path);
        _folder.Dispose();
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} failed; these tests need root.");
    }
}
