namespace Piccolo.Core.Primitives;

/// <summary>The C library's heap, in which OpenSSL keeps keys and leaves copies of them behind. Where the C library is another one, nothing happens.</summary>
public static class NativeHeap
{
    // mallopt(3).
    private const int Perturb = -6;
    private const int Pattern = 0xA5;

    /// <summary>
    /// From now on freed memory is overwritten. Small blocks that a thread keeps for itself escape this unless the process was started with
    /// <c>GLIBC_TUNABLES=glibc.malloc.tcache_count=0</c>, as the packages do.
    /// </summary>
    public static void OverwriteWhatIsFreed() => Call(static () => Posix.MallOpt(Perturb, Pattern));

    /// <summary>Gives whole free pages back to the kernel.</summary>
    public static void Trim() => Call(static () => Posix.MallocTrim(0));

    private static void Call(Func<int> function)
    {
        try
        {
            function();
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }
}
