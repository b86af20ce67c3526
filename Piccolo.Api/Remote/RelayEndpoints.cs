using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Events;
using Piccolo.Core.Tunnel;

namespace Piccolo.Api.Remote;

/// <summary>The relay itself: its guide, whether it takes a secret, a new secret, and what happened lately.</summary>
internal static class RelayEndpoints
{
    private const int DefaultPage = 100;
    private const int MaxPage = 1000;

    private static readonly RelayGuideResponse Guide = new(
        "git clone https://github.com/AtDexters-Lab/nexus-proxy-server && cd nexus-proxy-server"
        + " && go build -o nexus-proxy-server ./cmd/nexus-proxy-server && ./nexus-proxy-server -config config.yaml",
        [
            "A machine with a public address, on which the ports 80, 443 and that of the hub can be reached.",
            "A DNS record for the relay's own name, and a wildcard record (*.your-domain) that leads to the same machine.",
            "A device secret that is long and random, the same in the relay's configuration and here.",
        ],
        [
            "The relay passes TLS on and cannot read it. This device dials its own names and says so if that changes.",
            "Set the issuance lock (GET /api/v1/remote/issuance-lock) so that nobody on the way can get a certificate for your names.",
        ],
        "https://github.com/AtDexters-Lab/nexus-proxy-server");

    public static void MapRelay(this RouteGroupBuilder group)
    {
        group.MapGet("/events", GetEvents).WithName("ListRemoteEvents")
            .WithSummary("What happened to the way in from outside, newest first; kept across restarts, bounded.");
        group.MapGet("/nexus-guide", () => TypedResults.Ok(Guide)).WithName("GetNexusGuide").WithSummary("How to set up a relay.");
        var writes = group.MapGroup("").RequireLeader();
        writes.MapPost("/nexus-guide/verify", VerifyAsync).WithName("VerifyNexus").WithSummary("Connects to a relay with a secret and changes nothing.");
        writes.MapPost("/rotate", RotateAsync).WithName("RotateDeviceSecret").WithSummary("Takes a new device secret once the relay has accepted it.");
    }

    private static Results<Ok<RemoteEventsResponse>, ProblemHttpResult> GetEvents(RemoteEventLog events, int? limit)
    {
        if (limit is < 1 or > MaxPage)
        {
            var errors = new Dictionary<string, string[]> { ["limit"] = [$"must lie between 1 and {MaxPage}"] };
            return Problems.Invalid("invalid_request", "Invalid request", errors);
        }
        return TypedResults.Ok(new RemoteEventsResponse(
            [.. events.Page(limit ?? DefaultPage).Select(e => new RemoteEventResponse(e.Time, e.Level, e.Source, e.Subject, e.Message, e.NextStep))]));
    }

    private static async Task<Results<Ok<RelayVerifiedResponse>, ProblemHttpResult>> VerifyAsync(
        RequestBody<VerifyRelayRequest> body, RemoteSettingsStore store, RelayTunnel tunnel, TimeProvider time, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var endpoint = Or(request.Endpoint, store.Current?.Endpoint);
        // A secret goes to the relay that it belongs to, and to no other.
        var secret = Or(request.JwtSecret, endpoint == store.Current?.Endpoint ? store.Current?.DeviceSecret : null);
        if (endpoint is null || secret is null)
            return Problems.Of(StatusCodes.Status400BadRequest, "relay_unknown", "Nothing to verify", "There is no endpoint or no secret to try.",
                "Send 'endpoint' and 'jwt_secret', or configure remote access first.");
        var seen = await tunnel.VerifyAsync(new Uri(endpoint), secret.Trim(), cancellationToken);
        if (!seen.Accepted) return Refused(seen);
        double? roundTripMs = seen.RoundTrip is { } trip ? Math.Round(trip.TotalMilliseconds, 1) : null;
        return TypedResults.Ok(new RelayVerifiedResponse(time.GetUtcNow(), "The relay accepted the secret. Nothing was changed.", roundTripMs));
    }

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> RotateAsync(
        RequestBody<RotateSecretRequest> body, RemoteSettingsStore store, RelayTunnel tunnel, RemoteEventLog events,
        HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        if (store.Current?.Endpoint is not { } endpoint) return RemoteEndpoints.NotConfigured();
        var secret = request.DeviceSecret!.Trim();
        var seen = await tunnel.VerifyAsync(new Uri(endpoint), secret, cancellationToken);
        if (!seen.Accepted) return http.AuditRefusal(AuditKinds.RemoteSecretFailed, Refused(seen));
        if (!store.Rotate(endpoint, secret))
            return Problems.Of(StatusCodes.Status409Conflict, "settings_changed", "Settings changed",
                "The relay was changed while the new secret was being tried with the old one.", "Look at the settings, then try again.");
        http.Audit(AuditKinds.RemoteSecretRotated, ("endpoint", endpoint));
        events.Add(RemoteEventSources.Settings, "", "The device secret was replaced; the relay had accepted the new one.");
        return TypedResults.Ok(new MessageResponse("secret rotated"));
    }

    private static ProblemHttpResult Refused(TunnelVerification seen) => Problems.Of(
        StatusCodes.Status422UnprocessableEntity, seen.Code ?? "refused", "Not accepted by the relay",
        seen.Reason ?? "The relay did not accept the session.", seen.NextStep);

    private static string? Or(string? sent, string? stored) => string.IsNullOrWhiteSpace(sent) ? stored : sent;
}
