namespace Piccolo.Core.Locking;

/// <summary>Starts the process afresh after a lock: whatever memory knew is gone with it.</summary>
public interface IProcessRestart
{
    /// <summary>A lock has begun: who unlocked now would unlock a process that is about to end.</summary>
    bool IsPending { get; }

    /// <summary>From now on a restart is pending.</summary>
    void Announce();

    /// <summary>Restarts once the caller has its answer. Returns at once.</summary>
    /// <param name="answered">Completes when the answer is on its way. A client that does not take it holds up nothing.</param>
    void Request(Task answered);
}
