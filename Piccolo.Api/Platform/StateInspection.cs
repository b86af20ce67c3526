using Piccolo.Core.Exports;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Platform;

/// <summary>Looks at the state on the disk before any port answers. Holds the right to it: made first, it is given back last.</summary>
internal sealed class StateInspection(StateDirectoryLock inUse, ApplianceVault vault, StatePaths paths, ILogger<StateInspection> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        logger.StateInUse(inUse.Paths.Root);
        ImportPlacement.Finish(paths);
        try
        {
            ExportLibrary.DropUnfinished(paths);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that takes no writes has its own fault; the next export tries this again, and says what is wrong.
        }
        vault.Inspect();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
