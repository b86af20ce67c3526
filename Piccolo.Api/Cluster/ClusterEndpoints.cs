using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Security;
using Piccolo.Core.Leadership;

namespace Piccolo.Api.Cluster;

/// <param name="Resource"><c>control-plane</c> or <c>app:&lt;name&gt;</c>; what is not listed is led by this node. Where the elector has said nothing yet,
/// <c>control-plane</c> alone is listed, as unknown.</param>
public sealed record RoleResponse(string Resource, LeadershipRole Role, string? Leader);

public sealed record LeadershipResponse(IReadOnlyList<RoleResponse> Roles);

/// <summary>Which node leads what.</summary>
internal static class ClusterEndpoints
{
    public static void MapCluster(this IEndpointRouteBuilder api) => api.MapGroup("/cluster").WithTags("cluster").RequireUnlocked().RequireOwner()
        .MapGet("/leadership", GetLeadership).WithName("GetLeadership").WithSummary("The roles that the elector named.");

    private static Ok<LeadershipResponse> GetLeadership(LeadershipRegistry leadership) => TypedResults.Ok(new LeadershipResponse(
        leadership.Unnamed.Kind == LeadershipRole.Unknown ? [new RoleResponse(ResourceId.ControlPlane.Value, LeadershipRole.Unknown, null)] :
    [
        .. leadership.Named.OrderBy(r => r.Key.Value, StringComparer.Ordinal)
            .Select(r => new RoleResponse(r.Key.Value, r.Value.Kind, r.Value.LeaderOrigin?.GetLeftPart(UriPartial.Authority))),
    ]));
}
