using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Leadership;

/// <summary>
/// This node's role for every resource, as the elector last said. Before it has said anything every role is unknown; from then on what it does not name is
/// led by this node. Snapshots are immutable; thread-safe.
/// </summary>
/// <param name="beforeElection">The role for everything until then; null = this node leads, as where there is no other.</param>
public sealed class LeadershipRegistry(ILogger<LeadershipRegistry> logger, Role? beforeElection = null)
{
    private readonly Lock _gate = new();
    private Picture _picture = new(FrozenDictionary<ResourceId, Role>.Empty, beforeElection ?? Role.Leader);

    /// <summary>Raised after each change of any role.</summary>
    public ChangeSignal Changed { get; } = new();

    public FrozenDictionary<ResourceId, Role> Named => Volatile.Read(ref _picture).Named;

    /// <summary>The role for what is not named.</summary>
    public Role Unnamed => Volatile.Read(ref _picture).Unnamed;

    public Role RoleOf(ResourceId resource) => Volatile.Read(ref _picture).RoleOf(resource);

    /// <summary>Takes a whole new picture; logs each role that differs and wakes the loops once.</summary>
    public void Apply(IReadOnlyDictionary<ResourceId, Role> roles)
    {
        lock (_gate)
        {
            var before = _picture;
            var after = new Picture(roles.ToFrozenDictionary(), Role.Leader);
            var changed = before.Named.Keys.Union(after.Named.Keys).Where(r => before.RoleOf(r) != after.RoleOf(r)).ToList();
            Volatile.Write(ref _picture, after);
            if (changed.Count == 0 && before.Unnamed == after.Unnamed) return;
            foreach (var resource in changed)
            {
                var role = after.RoleOf(resource);
                logger.RoleChanged(resource.Value, role.IsLeader ? "leader" : "follower", role.LeaderOrigin?.GetLeftPart(UriPartial.Authority) ?? "");
            }
        }
        Changed.Raise();
    }

    private sealed record Picture(FrozenDictionary<ResourceId, Role> Named, Role Unnamed)
    {
        public Role RoleOf(ResourceId resource) => Named.GetValueOrDefault(resource, Unnamed);
    }
}
