using System.Diagnostics;

namespace Piccolo.Tests.Fakes.Files;

/// <summary>A small real file system at a folder of its own. Needs root, as the appliance has it.</summary>
internal sealed class MountedFolder : IDisposable
{
    private readonly TempFolder _folder = new();

    private MountedFolder() => Path = Directory.CreateDirectory(_folder.File("mnt")).FullName;

    public string Path { get; }

    public static MountedFolder Tmpfs(int kibibytes)
    {
        var mounted = new MountedFolder();
        Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k,mode=0700", "piccolo-test", mounted.Path);
        return mounted;
    }

    public static MountedFolder Ext4(int mebibytes)
    {
        var mounted = new MountedFolder();
        using (var image = File.Create(mounted.Image)) image.SetLength(mebibytes * 1024L * 1024);
        Run("mkfs.ext4", "-q", mounted.Image);
        Run("mount", "-o", "loop", mounted.Image, mounted.Path);
        return mounted;
    }

    private string Image => _folder.File("image");

    public void Remount(string options) => Run("mount", "-o", $"remount,{options}", Path);

    /// <summary>For a loop-mounted image: off and on again, as after a repair.</summary>
    public void MountAgain()
    {
        Run("umount", Path);
        Run("mount", "-o", "loop", Image, Path);
    }

    /// <summary>Takes all the room that is left.</summary>
    public string Fill()
    {
        var path = System.IO.Path.Combine(Path, "ballast");
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        // Blocks first, then bytes, until not one is left.
        foreach (var size in (int[])[65536, 4096, 512, 1])
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[size]);
                    file.Flush(flushToDisk: true);
                }
            }
            catch (IOException)
            {
                // Full for this size.
            }
        }
        return path;
    }

    public void Dispose()
    {
        Run("umount", "-l", Path);
        _folder.Dispose();
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit(TimeSpan.FromSeconds(20));
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
    }
}
