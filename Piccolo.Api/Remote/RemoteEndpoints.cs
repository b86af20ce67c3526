using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Auth;
using Piccolo.Api.Certificates;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Events;
using Piccolo.Core.Remote.Issuance;
using Piccolo.Core.Tunnel;

namespace Piccolo.Api.Remote;

/// <summary>The way in from outside.</summary>
internal static class RemoteEndpoints
{
    private const string Solver = "http-01";

    public static RouteGroupBuilder MapRemote(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/remote").WithTags("remote").RequireUnlocked().RequireOwner();
        group.MapGet("/status", GetStatus).WithName("GetRemoteStatus").WithSummary("Remote access as it is: settings, tunnel, certificates, warnings.");
        group.MapGet("/dns/providers", () => TypedResults.Ok(new DnsProvidersResponse([]))).WithName("ListDnsProviders")
            .WithSummary("Always empty: names are proved by HTTP-01 only.");
        var writes = group.MapGroup("").RequireLeader();
        writes.MapPost("/configure", ConfigureAsync).WithName("ConfigureRemote").WithSummary("Sets relay, secret and names, and switches remote access on.");
        writes.MapPost("/disable", Disable).WithName("DisableRemote").WithSummary("Switches remote access off; the settings stay.");
        group.MapRelay();
        group.MapChecks();
        group.MapAliases();
        return group;
    }

    public static ProblemHttpResult NotConfigured() =>
        Problems.Of(StatusCodes.Status409Conflict, "not_configured", "Not configured", "Remote access was never configured.",
            "Use POST /api/v1/remote/configure.");

    private static Ok<RemoteStatusResponse> GetStatus(RemoteStatusReader reader, RemoteAccess remote, AliasViews aliases, IssuanceLock issuance) =>
        TypedResults.Ok(Describe(reader.Read(), remote.Plan, aliases.All(), issuance.State.Level));

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> ConfigureAsync(
        RequestBody<ConfigureRemoteRequest> body, RemoteSettingsStore store, ListenerTable listeners, RelayTunnel tunnel, RemoteEventLog events,
        TimeProvider time, HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        if (request.Solver is not (null or "" or Solver))
            return Problems.Of(StatusCodes.Status400BadRequest, "solver_unsupported", "Solver not supported", "Certificates are ordered by http-01 only.",
                "Leave 'solver' out, or set it to http-01.");
        var domain = DomainName.Parse(request.Tld!);
        string[] tooLong = [.. listeners.Current.Where(l => domain.TryPrepend(l.Name) is null)
            .Select(l => $"the name of the listener '{l.Name}' would be longer than {DomainName.MaxLength} characters below this domain")];
        if (tooLong.Length > 0) return Problems.Invalid("invalid_request", "Invalid request", new Dictionary<string, string[]> { ["tld"] = tooLong });
        store.Save(new RemoteSettings(
            request.Endpoint!, request.DeviceSecret!.Trim(), domain.Value,
            ConfigureRemoteRequestValidator.PortalName(request.Tld, request.PortalHostname)!.Value, Enabled: true, time.GetUtcNow()));
        // Also when the same settings were saved again: the owner may have fixed the relay.
        tunnel.Wake("settings");
        http.Audit(AuditKinds.RemoteConfigured, ("endpoint", request.Endpoint), ("domain", request.Tld), ("portal", request.PortalHostname));
        var relay = new Uri(request.Endpoint!).Host;
        events.Add(
            RemoteEventSources.Settings, "", $"Remote access was configured: {request.PortalHostname} below {request.Tld}, by the relay {relay}.",
            "POST /api/v1/remote/preflight looks whether everything is ready.");
        return TypedResults.Ok(new MessageResponse("remote configured"));
    }

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Disable(RemoteSettingsStore store, RemoteEventLog events, HttpContext http)
    {
        if (store.Disable() is null) return NotConfigured();
        http.Audit(AuditKinds.RemoteDisabled);
        events.Add(RemoteEventSources.Settings, "", "Remote access was switched off.");
        return TypedResults.Ok(new MessageResponse("remote disabled"));
    }

    private static RemoteStatusResponse Describe(RemoteStatus status, RemotePlan plan, IReadOnlyList<AliasResponse> aliases, TrustLevel trust) => new(
        status.Settings?.Enabled ?? false,
        status.State,
        status.Settings is null ? null : Solver,
        status.Settings?.Endpoint,
        status.Settings?.Domain,
        status.Settings?.PortalHost,
        status.Tunnel.RoundTrip is { } trip ? (int)Math.Ceiling(trip.TotalMilliseconds) : null,
        status.Tunnel.LastHandshake,
        status.Portal?.RenewAt,
        status.Portal?.NotAfter,
        status.Portal?.Issuer,
        status.Warnings,
        [.. plan.Routes.Where(r => aliases.All(a => a.Hostname != r.Host.Value))
            .Select(r => new RemoteListenerResponse(r is Piccolo.Core.Routing.Route.Portal ? "portal" : r.Host.Value.Split('.')[0], r.Host.Value))],
        Describe(status.Tunnel),
        [.. status.Names.Select(n => n.ToResponse())],
        trust,
        aliases,
        [.. status.Certificates.Select(c => c.ToResponse())]);

    private static TunnelResponse Describe(TunnelStatus tunnel) => new(
        JsonNamingPolicy.SnakeCaseLower.ConvertName(tunnel.State.ToString()), tunnel.Code, tunnel.Reason, tunnel.NextStep, tunnel.Until, tunnel.LastHandshake,
        tunnel.RoundTrip is { } trip ? Math.Round(trip.TotalMilliseconds, 1) : null, tunnel.Sessions, tunnel.Draining, tunnel.Streams, tunnel.Counts.Streams,
        tunnel.Counts.CutStreams, tunnel.Counts.RefusedStreams, tunnel.BufferedBytes, tunnel.BytesIn, tunnel.BytesOut,
        tunnel.Reconnects, tunnel.Counts.ReconnectsByReason, tunnel.Counts.Losses, tunnel.Counts.ReplacedSessions, [.. tunnel.Hostnames]);
}

public sealed record DnsProvidersResponse(IReadOnlyList<string> Providers);
