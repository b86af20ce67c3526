using System.Runtime.InteropServices;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Vault;

/// <summary>
/// Runs an Argon2 on a thread of its own, because it takes up to a second and requests need the pool's few threads; and at a lower priority than they have, so
/// that strangers who guess slow down each other and not what the box is there for.
/// </summary>
internal static partial class LowPriorityThread
{
    private const int PriorityOfProcess = 0;
    private const int CallingThread = 0;
    private const int Niceness = 5;

    public static Task<T> RunAsync<T>(Func<T> work)
    {
        LoopThread.MustNotBlock();
        // Whoever awaits it goes on on the pool: on this thread all that follows would have the low priority.
        return Task.Factory.StartNew(
            () =>
            {
                // On Linux this is the calling thread's alone, and the thread ends with the work. That it may fail costs nothing but the courtesy.
                _ = SetPriority(PriorityOfProcess, CallingThread, Niceness);
                return work();
            },
            CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously, TaskScheduler.Default);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
