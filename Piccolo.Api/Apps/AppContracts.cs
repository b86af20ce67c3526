using Piccolo.Api.Listeners;
using Piccolo.Api.Security;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Leadership;

namespace Piccolo.Api.Apps;

/// <summary>The envelope of app responses, as clients of version 1 read it.</summary>
public sealed record Envelope<T>(T Data, string? Message = null);

/// <summary>An installed app: what the owner wants and what was last observed.</summary>
/// <param name="Status">Observed; <c>running</c> only when the engine said so.</param>
/// <param name="LastUpdate">How looking for a newer image ended the last time; absent before the first.</param>
/// <param name="StatusReason">Why it is stopped or in error; absent otherwise.</param>
/// <param name="Environment">Values are <c>(hidden)</c> for a token that may only read: passwords of databases are among them.</param>
public sealed record AppResponse(
    string Name,
    string Image,
    AppType Type,
    AppState Status,
    AppReason? StatusReason,
    string? StatusDetail,
    DateTimeOffset StatusSince,
    DesiredState DesiredState,
    LeadershipRole Role,
    string? ContainerId,
    IReadOnlyDictionary<string, string>? Environment,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    AppUpdateResponse? LastUpdate);

/// <param name="At">When the image was fetched and compared, or when that failed.</param>
/// <param name="Detail">Why it failed; absent otherwise.</param>
public sealed record AppUpdateResponse(DateTimeOffset At, UpdateOutcome Outcome, string? Detail);

public sealed record AppDetailResponse(AppResponse App, IReadOnlyList<ServiceResponse> Services);

internal static class AppMapping
{
    private const string Hidden = "(hidden)";

    /// <summary>What this caller may see of it.</summary>
    public static AppResponse For(this AppResponse app, HttpContext http) =>
        http.Owner().MayWrite() ? app : app with { Environment = app.Environment?.ToDictionary(e => e.Key, _ => Hidden, StringComparer.Ordinal) };

    public static AppResponse ToResponse(this AppRecord app, AppStatus status, Role role) => new(
        app.Name,
        app.Manifest.Image,
        app.Manifest.Type,
        status.State,
        status.Reason == AppReason.None ? null : status.Reason,
        status.Detail.Length == 0 ? null : status.Detail,
        status.Since,
        app.DesiredState,
        role.Kind,
        status.ContainerId,
        app.Manifest.Environment.Count == 0 ? null : app.Manifest.Environment,
        app.CreatedAt,
        app.UpdatedAt,
        app.LastUpdate is { } update ? new AppUpdateResponse(update.At, update.Outcome, update.Detail.Length == 0 ? null : update.Detail) : null);
}
