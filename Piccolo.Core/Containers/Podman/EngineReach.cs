using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Containers.Podman;

/// <summary>Tells the log when the engine stops answering and when it answers again, not at each of the many calls in between. Thread-safe.</summary>
internal sealed class EngineReach(ILogger logger)
{
    private int _isLost;

    public void Lost(string operation, string reason)
    {
        if (Interlocked.Exchange(ref _isLost, 1) == 0) logger.EngineUnreachable(operation, reason);
        else logger.EngineStillUnreachable(operation, reason);
    }

    public void Answered()
    {
        if (Volatile.Read(ref _isLost) == 1 && Interlocked.Exchange(ref _isLost, 0) == 1) logger.EngineAnswersAgain();
    }
}
