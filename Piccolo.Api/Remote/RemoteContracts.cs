using FluentValidation;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Issuance;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Api.Remote;

/// <param name="Endpoint">The relay's hub, <c>wss://host[:port][/path]</c>; without a path <c>/connect</c>.</param>
/// <param name="DeviceSecret">What the relay knows this device by.</param>
/// <param name="Solver">Only <c>http-01</c>, which is the default.</param>
/// <param name="Tld">The domain below which every listener gets its name.</param>
/// <param name="PortalHostname">A name below the domain, or just its first label.</param>
public sealed record ConfigureRemoteRequest(string? Endpoint, string? DeviceSecret, string? Solver, string? Tld, string? PortalHostname);

/// <summary>Remote access as it is. Dates come from the portal's certificate; what was never observed is absent.</summary>
public sealed record RemoteStatusResponse(
    bool Enabled,
    RemoteState State,
    string? Solver,
    string? Endpoint,
    string? Tld,
    string? PortalHostname,
    int? LatencyMs,
    DateTimeOffset? LastHandshake,
    DateTimeOffset? NextRenewal,
    DateTimeOffset? ExpiresAt,
    string? Issuer,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<RemoteListenerResponse> Listeners,
    TunnelResponse Tunnel,
    IReadOnlyList<NameReachResponse> Names,
    TrustLevel TrustLevel,
    IReadOnlyList<AliasResponse> Aliases,
    IReadOnlyList<Certificates.CertificateResponse> Certificates);

public sealed record RemoteListenerResponse(string Name, string RemoteHost);

/// <summary>A public name as this device finds it when it dials it from outside.</summary>
/// <param name="Since">The first look with this result.</param>
/// <param name="LastSuccess">The last look that reached this device since its start.</param>
/// <param name="RoundTripMs">From the request to its answer; of a name that carries no requests, the handshake.</param>
public sealed record NameReachResponse(
    string Name, ReachResult Result, DateTimeOffset Since, DateTimeOffset? LastSuccess, double? RoundTripMs, string? Detail, string? NextStep);

/// <summary>The tunnel as it was last observed; what was never observed is absent. Counts are since the process started.</summary>
/// <param name="State"><c>disabled</c>, <c>connecting</c>, <c>authenticating</c>, <c>online</c>, <c>draining</c>, <c>refused</c> or <c>waiting</c>.</param>
/// <param name="Code">Stable word for the reason.</param>
/// <param name="Until">When the next attempt begins.</param>
/// <param name="RoundTripMs">To the relay and back, measured each minute.</param>
/// <param name="Draining">Sessions that gave way to one with other names and only let their streams end.</param>
/// <param name="ReconnectsByReason">How often a session was opened because an earlier one had ended by itself, by the code of that end.</param>
/// <param name="Losses">The latest of those ends, newest first.</param>
/// <param name="StreamsRefused">Users who were not let in, by cause.</param>
/// <param name="BufferedBytes">What users have sent and no app has read yet.</param>
/// <param name="StreamsCut">Users' connections that ended because their session did.</param>
public sealed record TunnelResponse(
    string State, string? Code, string? Reason, string? NextStep, DateTimeOffset? Until, DateTimeOffset? LastHandshake, double? RoundTripMs, int Sessions,
    IReadOnlyList<DrainingSession> Draining, int Streams, long StreamsTotal, long StreamsCut, IReadOnlyDictionary<string, long> StreamsRefused,
    long BufferedBytes, long BytesIn, long BytesOut, long Reconnects, IReadOnlyDictionary<string, long> ReconnectsByReason, IReadOnlyList<TunnelLoss> Losses,
    long SessionsReplaced, IReadOnlyList<string> Hostnames);

internal sealed class ConfigureRemoteRequestValidator : AbstractValidator<ConfigureRemoteRequest>
{
    public ConfigureRemoteRequestValidator(IOptions<TunnelOptions> nexus)
    {
        RuleFor(r => r.Endpoint).NotEmpty().MaximumLength(512);
        RuleFor(r => r.Endpoint).Custom((endpoint, context) => CheckEndpoint(endpoint, nexus.Value, context.AddFailure));
        RuleFor(r => r.DeviceSecret).NotEmpty().MaximumLength(1024);
        RuleFor(r => r.Tld).Must(t => DomainName.TryParse(t, out var name) && name.IsQualified).WithMessage("must be a domain with at least two labels");
        RuleFor(r => r.PortalHostname).Must((request, portal) => PortalName(request.Tld, portal) is not null)
            .WithMessage("must be one label, or a name equal to the domain or below it");
    }

    public static void CheckEndpoint(string? endpoint, TunnelOptions nexus, Action<string> fail)
    {
        if (string.IsNullOrEmpty(endpoint)) return;
        var problem = Uri.TryCreate(endpoint, UriKind.Absolute, out var uri)
            ? RelayEndpoint.Check(uri, nexus.AllowInsecureLoopback, out _) : "must be a wss:// URL";
        if (problem is not null) fail(problem);
    }

    /// <summary>A single label gets the domain appended; a full name must lie within the domain.</summary>
    public static DomainName? PortalName(string? domain, string? portal)
    {
        if (!DomainName.TryParse(domain, out var parent) || !DomainName.TryParse(portal, out var name)) return null;
        if (!name.IsQualified) return parent.TryPrepend(name.Value);
        return name == parent || name.IsSubdomainOf(parent) ? name : null;
    }
}

internal static class NameReachMapping
{
    public static NameReachResponse ToResponse(this NameReach reach) => new(
        reach.Name, reach.Result, reach.Since, reach.LastSuccess, reach.RoundTrip is { } trip
            ? Math.Round(trip.TotalMilliseconds, 1) : null, reach.Detail, reach.NextStep);
}
