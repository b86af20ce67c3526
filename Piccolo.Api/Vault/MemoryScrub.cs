namespace Piccolo.Api.Vault;

/// <summary>
/// After a lock: gives back the memory of everything that is no longer in use, so that as little as possible of what was open remains in the process. What
/// the runtime does not let go of is named in docs/security.md.
/// </summary>
internal static class MemoryScrub
{
    public static void Run()
    {
        // Twice: keys of the TLS stack are freed (and wiped) by finalizers, whose objects only the second round removes.
        for (var round = 0; round < 2; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }
}
