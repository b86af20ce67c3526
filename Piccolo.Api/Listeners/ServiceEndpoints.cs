using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Security;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Listeners;

/// <summary>Every listener of every app.</summary>
internal static class ServiceEndpoints
{
    public static void MapServices(this IEndpointRouteBuilder routes) => routes.MapGroup("/services").WithTags("services").RequireUnlocked().RequireOwner()
        .MapGet("", List).WithName("ListServices").WithSummary("Where each listener answers, on the LAN and remotely, and how it is.");

    private static Ok<ServicesResponse> List(ListenerTable listeners, ServiceViews views) => TypedResults.Ok(new ServicesResponse(views.Of(listeners.Current)));
}
