using Piccolo.Api.Ingress;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Vault;

/// <summary>
/// After a lock: takes away what the runtime would keep of the time before, so that a dump of the locked process holds none of the owner's secrets. What it
/// cannot promise is in docs/security.md; what it reaches is shown by <c>./dev prove leaks</c>.
/// </summary>
internal sealed class MemoryWipe(AppForwarder apps, ILogger<MemoryWipe> logger)
{
    public void Wipe()
    {
        apps.Drop();
        if (TlsContextCache.DropServers() is null) logger.TlsContextsKept();
        // First old enough to be told from new ones, then wiped, then let go of.
        Collect();
        SharedPools.Wipe();
        // Keys of the TLS stack are freed, and wiped, by finalizers; what they held goes with the next round.
        Collect();
        Collect();
        NativeHeap.Trim();
    }

    private static void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
    }
}
