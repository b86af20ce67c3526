using Piccolo.Api.Ingress.Dispatch;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>Puts the front door in front of API and portal.</summary>
internal static class IngressApplicationBuilderExtensions
{
    /// <summary>Sizes, then HTTP-01, then the decision by host. Whatever follows serves the portal's own requests only.</summary>
    public static IApplicationBuilder UseIngress(this IApplicationBuilder app) =>
        app.UseMiddleware<RequestSize>().UseMiddleware<Http01ChallengeMiddleware>().UseMiddleware<HostDispatchMiddleware>();
}
