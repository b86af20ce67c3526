using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Http;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Network;

namespace Piccolo.Api.Security;

internal static class RequestOrigin
{
    /// <summary>Where the request's connection came from: the only thing that trust decisions read.</summary>
    public static ConnectionOrigin Origin(this HttpContext context) => context.Features.GetRequiredFeature<IConnectionOriginFeature>().Origin;

    /// <summary>The owner's own machine or network.</summary>
    public static bool IsLocal(this ConnectionOrigin origin) => origin is ConnectionOrigin.Loopback or ConnectionOrigin.Lan;
}

/// <summary>The API is not for containers: an app must not steal the owner's session, nor guess at the password.</summary>
internal sealed class OriginFilter : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.Origin() == ConnectionOrigin.Container
            ? new(Problems.Forbidden("container_origin", "Apps may not use the appliance's API."))
            : next(context);
}
