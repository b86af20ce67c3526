using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Leadership;

/// <summary>
/// This node's role for every resource, as the elector last said. What is not named is led by this node. Snapshots are immutable; thread-safe.
/// </summary>
public sealed class LeadershipRegistry(ILogger<LeadershipRegistry> logger)
{
    private readonly Lock _gate = new();
    private FrozenDictionary<ResourceId, Role> _roles = FrozenDictionary<ResourceId, Role>.Empty;

    /// <summary>Raised after each change of any role.</summary>
    public ChangeSignal Changed { get; } = new();

    public FrozenDictionary<ResourceId, Role> Named => Volatile.Read(ref _roles);

    public Role RoleOf(ResourceId resource) => Named.GetValueOrDefault(resource, Role.Leader);

    /// <summary>Takes a whole new picture; logs each role that differs and wakes the loops once.</summary>
    public void Apply(IReadOnlyDictionary<ResourceId, Role> roles)
    {
        lock (_gate)
        {
            var before = _roles;
            var after = roles.ToFrozenDictionary();
            var changed = before.Keys.Union(after.Keys)
                .Where(r => before.GetValueOrDefault(r, Role.Leader) != after.GetValueOrDefault(r, Role.Leader)).ToList();
            Volatile.Write(ref _roles, after);
            if (changed.Count == 0) return;
            foreach (var resource in changed)
            {
                var role = after.GetValueOrDefault(resource, Role.Leader);
                logger.RoleChanged(resource.Value, role.IsLeader ? "leader" : "follower", role.LeaderOrigin?.GetLeftPart(UriPartial.Authority) ?? "");
            }
        }
        Changed.Raise();
    }
}
