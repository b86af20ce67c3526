using Microsoft.AspNetCore.Http.Extensions;
using Piccolo.Api.Http;
using Piccolo.Core.Leadership;

namespace Piccolo.Api.Security;

/// <summary>
/// On a follower a write is answered by where to go instead: 307 to the leader when it is known (method and body are kept, RFC 9110, 15.4.8), 409 when it
/// is not. Runs before the body is read.
/// </summary>
internal sealed class LeaderHintFilter(LeadershipRegistry leadership) : IEndpointFilter
{
    public const string LeaderHeader = "Piccolo-Leader";
    private const int RetryAfterSeconds = 5;

    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var guard = http.GetEndpoint()!.Metadata.GetRequiredMetadata<LeaderGuard>();
        foreach (var resource in guard.Resources.Select(r => r(http)))
        {
            var role = leadership.RoleOf(resource);
            if (!role.IsLeader) return new(Hint(http, resource, role));
        }
        return next(context);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult Hint(HttpContext http, ResourceId resource, Role role)
    {
        var address = role.LeaderOrigin?.GetLeftPart(UriPartial.Authority);
        var problem = role.Kind == LeadershipRole.Unknown
            ? Problems.Details(StatusCodes.Status409Conflict, "not_leader", "Not the leader", $"Whether this node leads {resource} is not known yet.",
                "Try again in a few seconds; GET /api/v1/health/detail says what is missing.")
            : address is null
            ? Problems.Details(StatusCodes.Status409Conflict, "not_leader", "Not the leader",
                $"Another node leads {resource}, and which one is not known at the moment.", "Try again in a few seconds.")
            : Problems.Details(StatusCodes.Status307TemporaryRedirect, "not_leader", "Not the leader", $"{address} leads {resource}.",
                $"Send the request to {address}.");
        problem.Extensions["leader"] = new Dictionary<string, string?> { ["resource"] = resource.Value, ["address"] = address };
        if (address is null)
        {
            http.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        else
        {
            http.Response.Headers.Location = address + http.Request.GetEncodedPathAndQuery();
            http.Response.Headers[LeaderHeader] = address;
        }
        return TypedResults.Problem(problem);
    }
}
