using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Auth;
using Piccolo.Api.Ingress;
using Piccolo.Core.Audit;

namespace Piccolo.Api.Audit;

/// <summary>One line at each place where the owner, or somebody else, does something that counts.</summary>
internal static class AuditRecorder
{
    /// <param name="detail">What was meant: names, ids, outcomes. Never secrets.</param>
    public static void Audit(this HttpContext context, string kind, params ReadOnlySpan<(string Name, string? Value)> detail)
    {
        var connection = context.Features.GetRequiredFeature<IConnectionOriginFeature>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in detail)
        {
            if (value is not null) values[name] = value;
        }
        context.RequestServices.GetRequiredService<AuditLog>().Record(new AuditEvent(
            context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(),
            kind,
            ActorOf(context),
            JsonNamingPolicy.SnakeCaseLower.ConvertName(connection.Origin.ToString()),
            connection.ClientEndPoint?.Address.ToString(),
            values));
    }

    /// <summary>The same for what was refused, with the refusal's stable code.</summary>
    /// <returns>The refusal, to be answered.</returns>
    public static ProblemHttpResult AuditRefusal(this HttpContext context, string kind, ProblemHttpResult refused)
    {
        context.Audit(kind, ("reason", refused.ProblemDetails.Extensions["code"] as string));
        return refused;
    }

    private static string ActorOf(HttpContext context) => context.Owner() switch
    {
        OwnerIdentity.Browser => "owner",
        OwnerIdentity.Script script => $"token:{script.Token.Name}",
        _ => "anonymous",
    };
}
