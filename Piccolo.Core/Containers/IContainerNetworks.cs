using System.Collections.Immutable;
using System.Net;

namespace Piccolo.Core.Containers;

/// <summary>The networks on which containers of this host are, whoever made them.</summary>
public interface IContainerNetworks
{
    /// <returns>The address ranges of the engine's bridges; null when it cannot be asked now. Only cancellation throws.</returns>
    Task<ImmutableArray<IPNetwork>?> ListAsync(CancellationToken cancellationToken);
}
