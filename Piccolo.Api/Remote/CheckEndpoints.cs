using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Security;
using Piccolo.Core.Exports;
using Piccolo.Core.Remote.Checks;
using Piccolo.Core.Remote.Issuance;

namespace Piccolo.Api.Remote;

/// <summary>What can be looked at before something fails: the preflight and the issuance lock.</summary>
internal static class CheckEndpoints
{
    public static void MapChecks(this RouteGroupBuilder group)
    {
        group.MapGet("/issuance-lock", GetLockAsync).WithName("GetIssuanceLock")
            .WithSummary("Who could get certificates for this device's names, and the CAA records that leave only this device.");
        var writes = group.MapGroup("").RequireLeader();
        writes.MapPost("/preflight", RunAsync).WithName("RunPreflight").WithSummary("Checks now whether clients from outside can be served.");
        writes.MapPost("/issuance-lock/check", CheckLockAsync).WithName("CheckIssuanceLock").WithSummary("Looks now whether the records are set.");
    }

    private static async Task<Results<Ok<PreflightResponse>, ProblemHttpResult>> RunAsync(
        RemotePreflight preflight, TimeProvider time, CancellationToken cancellationToken)
    {
        var ranAt = time.GetUtcNow();
        return await preflight.RunAsync(cancellationToken) is { } checks
            ? TypedResults.Ok(new PreflightResponse([.. checks.Select(c => c.ToResponse())], ranAt))
            : RemoteEndpoints.NotConfigured();
    }

    private static Task<Ok<IssuanceLockResponse>> GetLockAsync(IssuanceLock issuance, ExportLibrary exports, CancellationToken cancellationToken) =>
        DescribeAsync(issuance.State, exports, cancellationToken);

    private static async Task<Ok<IssuanceLockResponse>> CheckLockAsync(IssuanceLock issuance, ExportLibrary exports, CancellationToken cancellationToken) =>
        await DescribeAsync(await issuance.CheckAsync(cancellationToken), exports, cancellationToken);

    private static async Task<Ok<IssuanceLockResponse>> DescribeAsync(IssuanceLockState state, ExportLibrary exports, CancellationToken cancellationToken)
    {
        var hasExport = (await exports.ListAsync(cancellationToken)).Count > 0;
        var (recommended, reason) = (state.Level, hasExport) switch
        {
            (TrustLevel.OnlyThisDeviceCanIssue, true) => (false, "The lock is set."),
            (TrustLevel.OnlyThisDeviceCanIssue, false) => (false,
                "The lock is set, but there is no export: if this device dies, so does the account that the record names, "
                + "and no certificate comes until the record is changed. Make an export."),
            (_, false) => (false, "Make an export first and keep it elsewhere: the record names an account whose key is on this device alone."),
            (TrustLevel.RelayCouldIssue, true) => (true, "Without the record, whoever carries this device's traffic could get certificates for its names."),
            _ => (false, "It could not be told whether the lock is set; see the names."),
        };
        return TypedResults.Ok(new IssuanceLockResponse(state.Level, state.CheckedAt, recommended, reason, [.. state.Names.Select(n => n.ToResponse())]));
    }
}
