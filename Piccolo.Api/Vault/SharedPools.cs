using System.Buffers;

namespace Piccolo.Api.Vault;

/// <summary>
/// The runtime's shared buffer pools, which HTTP clients, readers and the TLS stack give their buffers back to as they are. Each thread keeps one buffer per
/// size for itself, the rest lies in common.
/// </summary>
internal static class SharedPools
{
    private const int Smallest = 16;
    private const int Largest = 1 << 20;

    /// <summary>Above this a common store holds few, and looking for more would only make new ones.</summary>
    private const int Large = 1 << 17;

    private static readonly TimeSpan ThreadsLimit = TimeSpan.FromMilliseconds(250);

    /// <summary>What the runtime keeps in common at most of one size.</summary>
    private static readonly int PerSize = 32 * Environment.ProcessorCount;

    public static void Wipe()
    {
        OnEveryThread();
        WipeAll<byte>(PerSize);
        WipeAll<char>(PerSize);
    }

    /// <summary>Lets as many threads as the pool has do it side by side, so that each comes to its own buffers; a thread that is busy is not waited for long.</summary>
    private static void OnEveryThread()
    {
        var others = ThreadPool.ThreadCount;
        var waiting = new CountdownEvent(others);
        for (var i = 0; i < others; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ =>
            {
                WipeAll<byte>(1);
                WipeAll<char>(1);
                waiting.Signal();
                // None takes a second turn before all have had their first.
#pragma warning disable RS0030 // to block these threads is the point: each has buffers of its own
                waiting.Wait(ThreadsLimit);
            }, null);
        }
        waiting.Wait(ThreadsLimit);
#pragma warning restore RS0030
    }

    private static void WipeAll<T>(int perSize)
    {
        var rented = new List<T[]>();
        for (var size = Smallest; size <= Largest; size *= 2)
        {
            var limit = size > Large ? Math.Min(perSize, Environment.ProcessorCount) : perSize;
            for (var i = 0; i < limit; i++)
            {
                var buffer = ArrayPool<T>.Shared.Rent(size);
                // One of the youngest generation was made for us: there are no more.
                var isNew = GC.GetGeneration(buffer) == 0;
                Array.Clear(buffer);
                rented.Add(buffer);
                if (isNew) break;
            }
        }
        foreach (var buffer in rented) ArrayPool<T>.Shared.Return(buffer);
    }
}
