using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Audit;

/// <summary>One line at each place where the owner, or somebody else, does something that counts.</summary>
internal static class AuditRecorder
{
    /// <param name="detail">What was meant: names, ids, outcomes. Never secrets.</param>
    public static void Audit(this HttpContext context, string kind, params ReadOnlySpan<(string Name, string? Value)> detail) =>
        LogOf(context).Record(EventOf(context, kind, detail));

    /// <param name="repeated">Whether it goes on with what was recorded before: then the first in a minute is recorded, and the others are counted.</param>
    public static void Audit(this HttpContext context, string kind, bool repeated, (string Name, string? Value) detail)
    {
        if (repeated) LogOf(context).RecordFirst(EventOf(context, kind, detail));
        else LogOf(context).Record(EventOf(context, kind, detail));
    }

    /// <summary>The same for what was refused, with the refusal's stable code. For those who have proven who they are: others could fill the disk.</summary>
    /// <returns>The refusal, to be answered.</returns>
    public static ProblemHttpResult AuditRefusal(this HttpContext context, string kind, ProblemHttpResult refused)
    {
        LogOf(context).Record(EventOf(context, kind, ("reason", CodeOf(refused))));
        return refused;
    }

    /// <summary>
    /// The same for an attempt that went through the limits of guesses. A wrong guess is recorded: the limits bound how many there are. One that was not
    /// looked at is counted, and so is, after the first in a minute, what was refused for another reason.
    /// </summary>
    public static ProblemHttpResult AuditRefusal(this HttpContext context, string kind, GuessAnswer answer, ProblemHttpResult refused)
    {
        if (answer.Outcome?.IsWrongGuess() == true) return context.AuditRefusal(kind, refused);
        var @event = EventOf(context, kind, ("reason", CodeOf(refused)));
        if (answer.Outcome is null) LogOf(context).Count(@event);
        else LogOf(context).RecordFirst(@event);
        return refused;
    }

    private static AuditLog LogOf(HttpContext context) => context.RequestServices.GetRequiredService<AuditLog>();

    private static string? CodeOf(ProblemHttpResult refused) => refused.ProblemDetails.Extensions["code"] as string;

    private static AuditEvent EventOf(HttpContext context, string kind, params ReadOnlySpan<(string Name, string? Value)> detail)
    {
        var connection = context.Features.GetRequiredFeature<IConnectionOriginFeature>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in detail)
        {
            if (value is not null) values[name] = value;
        }
        return new AuditEvent(
            context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(),
            kind,
            ActorOf(context),
            JsonNamingPolicy.SnakeCaseLower.ConvertName(connection.Origin.ToString()),
            connection.ClientEndPoint?.Address.ToString(),
            values);
    }

    private static string ActorOf(HttpContext context) => context.Owner() switch
    {
        OwnerIdentity.Browser => "owner",
        OwnerIdentity.Script script => $"token:{script.Token.Name}",
        _ => "anonymous",
    };
}
