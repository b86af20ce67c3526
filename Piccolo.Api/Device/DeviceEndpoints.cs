using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Ingress.Composition;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Api.Platform;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Network;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Device;

/// <param name="Device">How to reach the device by HTTPS on its own network; absent through the relay, and where HTTPS is off.</param>
public sealed record VersionResponse(string Version, string Service, DeviceResponse? Device);

/// <param name="HttpsPort">The port that is bound.</param>
/// <param name="FingerprintSha256">Of the device's own certificate, as browsers show it. The log has it too, from each start.</param>
public sealed record DeviceResponse(int HttpsPort, string FingerprintSha256, DateTimeOffset ExpiresAt);

/// <summary>The appliance itself: its version and its latched faults.</summary>
internal static class DeviceEndpoints
{
    public static void MapSystem(this IEndpointRouteBuilder api) => api.MapGroup("/system").WithTags("system").RequireOwnerWhileReadable()
        .MapPost("/faults/{code}/clear", ClearFaultAsync).IsLocalWrite("faults belong to one node's disk")
        .WithName("ClearFault").WithSummary("Clears a latched fault after its cause was fixed, and checks again.");

    public static void MapVersion(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/version", GetVersion).WithTags("system").WithName("GetVersion")
            .WithSummary("The version of the daemon, and the device's own certificate.");

    /// <summary>A fault of the key set or the store makes every session impossible; then only the owner's own network may clear it.</summary>
    private static RouteGroupBuilder RequireOwnerWhileReadable(this RouteGroupBuilder group) => group.AddEndpointFilter<RouteGroupBuilder, FaultOwnerFilter>();

    private static Ok<VersionResponse> GetVersion(HttpContext http, OwnPorts ports, DeviceCertificate certificate)
    {
        var device = http.Origin() is not ConnectionOrigin.Tunnel && ports.Current is { Https: { } port } && certificate.Current is { } held
            ? new DeviceResponse(port, DeviceCertificate.FingerprintOf(held), new DateTimeOffset(held.NotAfter.ToUniversalTime()))
            : null;
        return TypedResults.Ok(new VersionResponse(Build.Version, "piccolo", device));
    }

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> ClearFaultAsync(
        string code, HealthTracker health, ApplianceVault vault, SealedStore store, HttpContext http)
    {
        var known = Enum.GetValues<FaultCode>().Where(c => JsonNamingPolicy.SnakeCaseLower.ConvertName(c.ToString()) == code).ToList();
        if (known.Count == 0 || !health.Snapshot.Faults.TryGetValue(known[0], out var fault)) return Problems.NotFound("such latched fault");
        if (!await TryRepairAsync(fault, health, vault, store))
            return Problems.Of(StatusCodes.Status409Conflict, "fault_persists", "The fault persists", health.Snapshot.Faults.Values.FirstOrDefault()?.Detail
                ?? fault.Detail, "Fix its cause first; see docs/owner/health-and-faults.md.");
        http.Audit(AuditKinds.FaultCleared, ("code", code));
        return TypedResults.Ok(new MessageResponse("fault cleared"));
    }

    /// <summary>Checks again before the fault counts as cleared.</summary>
    private static async Task<bool> TryRepairAsync(FatalFault fault, HealthTracker health, ApplianceVault vault, SealedStore store)
    {
        if (fault.Component == HealthComponents.Store) return store.TryClearFault(fault.Code);
        health.Clear(fault.Code);
        // Latches again what still fails.
        await vault.InspectAsync(CancellationToken.None);
        return !health.Snapshot.Faults.Values.Any(f => f.Component == fault.Component);
    }
}

internal sealed class FaultOwnerFilter(OwnerFilter owner, ApplianceVault vault) : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) => vault.State switch
    {
        VaultState.Unlocked => owner.InvokeAsync(context, next),
        _ when context.HttpContext.Origin().IsLocal() && SameOriginFilter.IsSameOrigin(context.HttpContext.Request) => next(context),
        _ => new(Problems.Forbidden("local_only", "While the appliance is not unlocked, a fault is cleared from its own network only.")),
    };
}
