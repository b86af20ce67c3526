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
/// <param name="NextAttempt">When what failed is tried again; absent where nothing is due.</param>
/// <param name="StatusReason">Why it is stopped, unhealthy or failed; absent otherwise.</param>
/// <param name="Environment">Values are <c>(hidden)</c> for a token that may only read: passwords of databases are among them.</param>
public sealed record AppResponse(
    string Name,
    string Image,
    AppType Type,
    AppState Status,
    AppReason? StatusReason,
    string? StatusDetail,
    DateTimeOffset StatusSince,
    DateTimeOffset? NextAttempt,
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

/// <param name="Services">The app's listeners.</param>
/// <param name="Containers">One for each service of the manifest, in the order of their start; empty where none was looked at since the start.</param>
public sealed record AppDetailResponse(AppResponse App, IReadOnlyList<ServiceResponse> Services, IReadOnlyList<AppContainerResponse> Containers);

/// <summary>One service of an app, as it was last observed.</summary>
/// <param name="Service">Its name in the manifest.</param>
/// <param name="Status"><c>running</c> once its health check succeeded, where it has one; <c>stopped</c> with exit code 0 where it has done its work.</param>
/// <param name="StatusDetail">What it waits for, or what its health check says; absent when all is said.</param>
/// <param name="ImageDigest">Of the image that its container is made of; absent where it was not seen yet.</param>
/// <param name="Reason">Why it is stopped, unhealthy or failed; absent otherwise.</param>
/// <param name="Since">When status and reason became what they are.</param>
/// <param name="ExitCode">Of the last run; absent while it runs.</param>
/// <param name="NextAttempt">When what failed is tried again; absent where nothing is due.</param>
public sealed record AppContainerResponse(
    string Service, string Image, string? ImageDigest, AppState Status, AppReason? Reason, string? StatusDetail, DateTimeOffset Since, string? ContainerId,
    int? ExitCode, DateTimeOffset? NextAttempt);

internal static class AppMapping
{
    private const string Hidden = "(hidden)";

    /// <summary>What this caller may see of it.</summary>
    public static AppResponse For(this AppResponse app, HttpContext http) =>
        http.Owner().MayWrite() ? app : app with { Environment = app.Environment?.ToDictionary(e => e.Key, _ => Hidden, StringComparer.Ordinal) };

    public static IReadOnlyList<AppContainerResponse> ToContainers(this AppRecord app, AppStatus status)
    {
        var images = app.Manifest.Services.ToDictionary(s => s.Name, s => s.Image, StringComparer.Ordinal);
        return
        [
            .. status.Services.Where(s => images.ContainsKey(s.Name)).Select(s => new AppContainerResponse(
                s.Name, images[s.Name], app.ImageDigests.GetValueOrDefault(s.Name), s.State, s.Reason == AppReason.None ? null : s.Reason,
                s.Detail.Length == 0 ? null : s.Detail, s.Since, s.ContainerId, s.ExitCode, s.NextAttempt)),
        ];
    }

    public static AppResponse ToResponse(this AppRecord app, AppStatus status, Role role) => new(
        app.Name,
        app.Manifest.Main.Image,
        app.Manifest.Type,
        status.State,
        status.Reason == AppReason.None ? null : status.Reason,
        status.Detail.Length == 0 ? null : status.Detail,
        status.Since,
        status.NextAttempt,
        app.DesiredState,
        role.Kind,
        status.ContainerId,
        app.Manifest.Main.Environment.Count == 0 ? null : app.Manifest.Main.Environment,
        app.CreatedAt,
        app.UpdatedAt,
        app.LastUpdate is { } update ? new AppUpdateResponse(update.At, update.Outcome, update.Detail.Length == 0 ? null : update.Detail) : null);
}
