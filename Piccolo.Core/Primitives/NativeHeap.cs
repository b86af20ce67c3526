namespace Piccolo.Core.Primitives;

/// <summary>The heaps of the C library, from which OpenSSL, SQLite and the runtime take their memory.</summary>
public static class NativeHeap
{
    /// <summary>Gives free pages back to the system (malloc_trim(3)); does nothing with a C library that has no such call.</summary>
    public static void Trim()
    {
        try
        {
            _ = Posix.MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl.
        }
    }
}
