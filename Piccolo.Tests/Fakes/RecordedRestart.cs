using Piccolo.Core.Locking;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Fakes;

/// <summary>Stands for the fresh start of a daemon whose process is the tests': a box stays as the lock left it.</summary>
internal sealed class RecordedRestart : IProcessRestart
{
    private int _announced;
    private int _requested;

    /// <summary>For a box that is caught between lock and restart.</summary>
    public bool IsPending { get; set; }

    public int Announced => Volatile.Read(ref _announced);

    /// <summary>How many restarts were asked for and would have begun, their answers being on their way.</summary>
    public int Requested => Volatile.Read(ref _requested);

    /// <summary>Raised at each of those.</summary>
    public ChangeSignal Changed { get; } = new();

    public void Announce() => Interlocked.Increment(ref _announced);

    public void Request(Task answered) => answered.ContinueWith(_ =>
    {
        Interlocked.Increment(ref _requested);
        Changed.Raise();
    }, TaskScheduler.Default);
}
