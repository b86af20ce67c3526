using Piccolo.Core.Leadership;

namespace Piccolo.Api.Security;

/// <summary>Says which resources a write needs to lead. Read by the leader filter and by the test that walks the endpoint table.</summary>
internal sealed record LeaderGuard(IReadOnlyList<Func<HttpContext, ResourceId>> Resources);

/// <summary>Marks a route that is closed while locked.</summary>
internal sealed record UnlockedGuard;

/// <summary>Marks a route that only the owner may use.</summary>
internal sealed record OwnerGuard;

/// <summary>Says why a write is local to this node and needs no leader.</summary>
internal sealed record LocalWrite(string Reason);

/// <summary>
/// The conditions that a route can demand, in the order in which requests meet them: origin, lock, owner, leader. Each is an endpoint filter, outermost
/// first, and none looks at the body.
/// </summary>
internal static class Guards
{
    /// <summary>423 while locked or not set up.</summary>
    public static TBuilder RequireUnlocked<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new UnlockedGuard()).AddEndpointFilter<TBuilder, UnlockedFilter>();

    /// <summary>401 without a session or token; 403 for a write without CSRF token, or with a token that may only read.</summary>
    public static TBuilder RequireOwner<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new OwnerGuard()).AddEndpointFilter<TBuilder, OwnerFilter>();

    /// <summary>403 also for a read, with a token that may only read: what it hands out is worth more than that.</summary>
    public static TBuilder RequireWriteScope<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter<TBuilder, WriteScopeFilter>();

    /// <summary>For posts before login: JSON only, and from the same origin when the browser names one.</summary>
    public static TBuilder RequireSameOrigin<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter<TBuilder, SameOriginFilter>();

    /// <summary>307 or 409 with the leader's address when another node leads the control plane.</summary>
    public static TBuilder RequireLeader<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithLeaderGuard([static _ => ResourceId.ControlPlane]);

    /// <summary>The same for the control plane, then for the app that the route names.</summary>
    public static TBuilder RequireAppLeader<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithLeaderGuard([static _ => ResourceId.ControlPlane, static context => ResourceId.App((string)context.GetRouteValue("name")!)]);

    /// <summary>A write that every node answers for itself.</summary>
    public static TBuilder IsLocalWrite<TBuilder>(this TBuilder builder, string reason) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new LocalWrite(reason));

    private static TBuilder WithLeaderGuard<TBuilder>(this TBuilder builder, Func<HttpContext, ResourceId>[] resources)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new LeaderGuard(resources)).AddEndpointFilter<TBuilder, LeaderHintFilter>();
}
