using Piccolo.Core.Containers.Firewall;

namespace Piccolo.Core.Containers.Podman;

// What services may reach outside of their app's network.
internal sealed partial class PodmanRuntime
{
    /// <summary>What is listed is written before somebody else lists: an older picture never comes after a newer one.</summary>
    private readonly SemaphoreSlim _keepingRights = new(1);

    public ContainerFault? NetworkFault => _firewall.Fault;

    /// <summary>Brings the firewall to the containers that there are: a container has its rights from when it is made until it is gone.</summary>
    /// <returns>The engine's fault, or the firewall's.</returns>
    public async Task<ContainerFault?> KeepRightsAsync(CancellationToken cancellationToken)
    {
        await _keepingRights.WaitAsync(cancellationToken);
        try
        {
            var found = await ListAsync(cancellationToken);
            if (found.Fault is { } away) return away;
            var before = _firewall.Fault?.Kind;
            // Containers that an earlier release made have no address of their own; they have no rights either, until they are made anew.
            var fault = await _firewall.BringAboutAsync(
                [.. found.Value.Select(c => new ServiceRights(c.FixedAddress ?? c.Address ?? "", c.Rights)).Where(s => s.Address.Length > 0)],
                cancellationToken);
            // Who runs the apps says so of each of them.
            if (fault?.Kind != before) Changed.Raise();
            return fault;
        }
        finally
        {
            _keepingRights.Release();
        }
    }
}
