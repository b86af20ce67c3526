using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;

namespace Piccolo.Api.Security;

/// <summary>Inside a route that requires the owner: turns tokens away that may only read.</summary>
internal sealed class WriteScopeFilter : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.Owner().MayWrite() ? next(context) : new(Refusal());

    public static ProblemHttpResult Refusal() => Problems.Forbidden("insufficient_scope", "This token may only read.", "Use a token with scope 'write'.");
}
