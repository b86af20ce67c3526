using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Containers;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Apps.Work;

/// <summary>What the work on all apps shares.</summary>
/// <param name="StopGrace">For services whose plan is not known: what runs when the appliance starts.</param>
/// <param name="Pulls">How many images may be fetched at a time, for each registry by itself.</param>
/// <param name="Starts">How many containers may be made and started at a time.</param>
/// <param name="Stops">How many may be stopped at a time.</param>
/// <param name="Retry">Raised when an app's next attempt was set.</param>
/// <param name="MoveBusyGuardPorts">Gives the app other ports in place of those that others keep busy.</param>
/// <param name="MayGoOn">Whether the app's revision is still wanted when its images are here; from then on it is not taken back.</param>
/// <param name="Fetched">Takes note of the digests of an app's images, by service.</param>
/// <param name="Updated">
/// Takes note of how looking for newer images of an app ended: when it was asked for, the end, and the newer images by service.
/// </param>
/// <param name="Removed">Takes note that nothing is left of an app that the owner removed but what is to stay.</param>
internal sealed record AppWorkContext(
    IContainerRuntime Runtime,
    IAppVolumes Volumes,
    ServiceProbe Probe,
    AppStatusBoard Board,
    TimeProvider Time,
    Func<double> Random,
    TimeSpan StopGrace,
    PullSlots Pulls,
    SemaphoreSlim Starts,
    SemaphoreSlim Stops,
    ChangeSignal Retry,
    Action<string> MoveBusyGuardPorts,
    Func<string, DateTimeOffset, bool> MayGoOn,
    Action<string, ImmutableSortedDictionary<string, string>> Fetched,
    Action<string, DateTimeOffset, AppUpdate, ImmutableSortedDictionary<string, string>> Updated,
    Action<string> Removed,
    ILogger Logger);
