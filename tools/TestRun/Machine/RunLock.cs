namespace Piccolo.TestRun.Machine;

/// <summary>Two runs in one checkout would empty each other's folders. Goes with the process, however it ends.</summary>
internal static class RunLock
{
    /// <returns>The lock, or null while another run holds it.</returns>
    public static IDisposable? Take(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException && File.Exists(file))
        {
            return null;
        }
    }
}
