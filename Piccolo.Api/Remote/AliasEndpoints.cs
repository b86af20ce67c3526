using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Remote.Checks;
using Piccolo.Core.Remote.Events;

namespace Piccolo.Api.Remote;

/// <summary>More public names for the portal and for listeners.</summary>
internal static class AliasEndpoints
{
    public static void MapAliases(this RouteGroupBuilder group)
    {
        var aliases = group.MapGroup("/aliases");
        aliases.MapGet("", List).WithName("ListAliases").WithSummary("Every alias with what was observed of it.");
        var writes = aliases.MapGroup("").RequireLeader();
        writes.MapPost("", AddAsync).WithName("AddAlias").WithSummary("Adds a name; it is routed and certified once it leads to the relay.");
        writes.MapDelete("/{id}", Remove).WithName("RemoveAlias").WithSummary("Takes the name away from relay, routes and renewals.");
    }

    private static Ok<AliasesResponse> List(AliasViews views) => TypedResults.Ok(new AliasesResponse(views.All()));

    private static async Task<Results<Ok<AliasResponse>, ProblemHttpResult>> AddAsync(
        RequestBody<AddAliasRequest> body, AliasAddition addition, AliasViews views, HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var (alias, refused) = await addition.AddAsync(DomainName.Parse(request.Hostname!), request.Listener?.Trim() is { Length: > 0 } listener
            ? listener : RemoteAlias.Portal, cancellationToken);
        if (alias is null) return refused!;
        http.Audit(AuditKinds.RemoteAliasAdded, ("hostname", alias.Hostname), ("listener", alias.Listener));
        return TypedResults.Ok(views.Describe(alias));
    }

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Remove(string id, RemoteAliasStore aliases, RemoteEventLog events, HttpContext http)
    {
        if (aliases.Remove(id) is not { } alias) return Problems.NotFound($"alias '{id}'");
        http.Audit(AuditKinds.RemoteAliasRemoved, ("hostname", alias.Hostname));
        events.Add(RemoteEventSources.Alias, alias.Hostname, $"The alias {alias.Hostname} was removed.");
        return TypedResults.Ok(new MessageResponse("alias removed"));
    }
}

/// <summary>The rules for a new alias, in the order in which an owner would want to hear them.</summary>
internal sealed class AliasAddition(
    RemoteSettingsStore settings, RemoteAliasStore aliases, RemoteAccess remote, ListenerTable listeners,
    NameChecks checks, AliasVerifier verifier, RemoteEventLog events, IOptions<RemoteOptions> options, TimeProvider time)
{
    public async Task<(RemoteAlias? Alias, ProblemHttpResult? Refused)> AddAsync(DomainName name, string listener, CancellationToken cancellationToken)
    {
        if (settings.Current is null) return (null, RemoteEndpoints.NotConfigured());
        if (checks.Syntax(name) is { Status: PreflightStatus.Fail } bad)
            return (null, Problems.Of(StatusCodes.Status400BadRequest, "alias_not_certifiable", "Cannot be an alias", bad.Detail, bad.NextStep));
        if (listener != RemoteAlias.Portal && listeners.Current.All(l => l.Name != listener))
            return (null, Problems.Of(StatusCodes.Status400BadRequest, "listener_unknown", "No such listener", $"There is no listener '{listener}'.",
                "Name a listener of GET /api/v1/services, or 'portal'."));
        if (remote.Plan.Hostnames.Contains(name.Value)) return (null, Taken(name));
        var found = await verifier.CheckAsync(name, cancellationToken);
        var now = time.GetUtcNow();
        var alias = new RemoteAlias(RemoteAlias.IdOf(name), name.Value, listener, now, found.PointsToRelay ? now : null, now, found.Problem, found.NextStep);
        switch (aliases.Add(alias, options.Value.MaxAliases))
        {
            case AliasOutcome.Taken:
                return (null, Taken(name));
            case AliasOutcome.TooMany:
                return (null, Problems.Of(StatusCodes.Status409Conflict, "alias_limit", "Too many aliases",
                    $"There are {options.Value.MaxAliases} aliases already.", "Remove one that is not needed."));
        }
        events.Add(RemoteEventSources.Alias, name.Value, $"The alias {name} was added for {listener}.", found.NextStep);
        return (alias, null);
    }

    private static ProblemHttpResult Taken(DomainName name) =>
        Problems.Of(StatusCodes.Status409Conflict, "alias_taken", "Name taken", $"{name} is already a name of this device.", "See GET /api/v1/remote/status.");
}
