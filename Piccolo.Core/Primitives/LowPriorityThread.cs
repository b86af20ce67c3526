using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Primitives;

/// <summary>
/// Runs work such as an Argon2 on a thread of its own, because it takes up to a second and requests need the pool's few threads. The thread has a lower
/// priority than they have: strangers who guess passwords slow down each other and not the apps.
/// </summary>
internal static class LowPriorityThread
{
    private const int CallingThread = 0;
    private const int Niceness = 5;

    public static Task<T> RunAsync<T>(Func<T> work)
    {
        LoopThread.MustNotBlock();
        // The awaiter continues on the pool: on this thread all that follows would have the low priority.
        return Task.Factory.StartNew(
            () =>
            {
                // On Linux this is the calling thread's alone, and the thread ends with the work. A failure is harmless: the work only keeps its normal
                // priority.
                _ = Posix.SetPriority(Posix.PRIO_PROCESS, CallingThread, Niceness);
                return work();
            },
            CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously, TaskScheduler.Default);
    }
}
