using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Tests.Fakes;

/// <summary>One method of one path that an appliance maps.</summary>
/// <param name="Pattern">As mapped, with its parameters in braces: <c>/api/v1/apps/{name}</c>.</param>
internal sealed record ApiRoute(string Method, string Pattern, RouteEndpoint Endpoint)
{
    /// <summary>The whole table, whatever feature mapped it.</summary>
    public static IReadOnlyList<ApiRoute> AllOf(TestAppliance appliance) =>
    [
        .. from source in appliance.Services.GetServices<EndpointDataSource>()
           from endpoint in source.Endpoints.OfType<RouteEndpoint>()
           from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
           select new ApiRoute(method, "/" + endpoint.RoutePattern.RawText!.Trim('/'), endpoint),
    ];

    /// <summary>As in the OpenAPI document: <c>GET /api/v1/apps/{name}</c>.</summary>
    public override string ToString() => $"{Method} {Pattern}";
}
