using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Jobs;
using Piccolo.Api.Listeners;
using Piccolo.Api.Security;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Following;
using Piccolo.Core.Audit;
using Piccolo.Core.Containers;
using Piccolo.Core.Remote;
using Piccolo.Core.Volumes;

namespace Piccolo.Api.Apps;

/// <summary>Installing and steering apps. Writes change what is wanted; the supervisor makes it so, and reads say what was observed.</summary>
internal static class AppEndpoints
{
    private const string Async = " With 'Prefer: respond-async' the answer is 202 and the job that follows it.";

    public static RouteGroupBuilder MapApps(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/apps").WithTags("apps").RequireUnlocked().RequireOwner();
        group.MapGet("", List).WithName("ListApps").WithSummary("All installed apps.");
        group.MapGet("/{name}", Find).WithName("GetApp").WithSummary("One app and its listeners.");
        group.MapGet("/{name}/services", ListServices).WithName("ListAppServices").WithSummary("One app's listeners.");
        group.MapPost("", InstallAsync).RequireLeader().WithName("InstallApp")
            .WithSummary("Installs an app from its manifest, or brings an installed one to a new manifest (200)." + Async);
        group.MapManifests();
        var one = group.MapGroup("/{name}").RequireAppLeader();
        one.MapDelete("", Remove).WithName("RemoveApp")
            .WithSummary("Removes an app and its containers. Its sealed volumes and secrets stay for a later installation; "
                + "purge=true deletes them, also those of an app that is removed already." + Async);
        one.MapPost("/start", (string name, AppCatalog catalog, AppViews views, AppCommands commands, HttpContext http) =>
            SetDesired(name, DesiredState.Running, catalog, views, commands, http)).WithName("StartApp").WithSummary("Wants the app to run." + Async);
        one.MapPost("/stop", (string name, AppCatalog catalog, AppViews views, AppCommands commands, HttpContext http) =>
            SetDesired(name, DesiredState.Stopped, catalog, views, commands, http)).WithName("StopApp").WithSummary("Wants the app to be stopped." + Async);
        one.MapPost("/update", Update).WithName("UpdateApp")
            .WithSummary("Fetches the app's image again and, where that is a newer one, makes the app anew of it; last_update says how it ended.");
        return group;
    }

    private static Ok<Envelope<IReadOnlyList<AppResponse>>> List(AppViews views, HttpContext http)
    {
        var apps = views.List();
        return TypedResults.Ok(new Envelope<IReadOnlyList<AppResponse>>([.. apps.Select(app => app.For(http))], $"{apps.Count} apps"));
    }

    private static Results<Ok<Envelope<AppDetailResponse>>, ProblemHttpResult> Find(string name, AppViews views, HttpContext http) =>
        views.Find(name) is { } app ? TypedResults.Ok(new Envelope<AppDetailResponse>(app with { App = app.App.For(http) })) : NoSuchApp(name);

    private static Results<Ok<ServicesResponse>, ProblemHttpResult> ListServices(string name, AppViews views) =>
        views.Find(name) is { } app ? TypedResults.Ok(new ServicesResponse(app.Services)) : NoSuchApp(name);

    private static async Task<Results<Created<Envelope<AppResponse>>, Ok<Envelope<AppResponse>>, Accepted<JobResponse>, ProblemHttpResult>> InstallAsync(
        ManifestBody body, AppCatalog catalog, AppViews views, AppCommands commands, IContainerRuntime engine, HttpContext http,
        CancellationToken cancellationToken)
    {
        if (!engine.IsConfigured)
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "no_container_engine", "No container engine",
                "No container engine is configured, so no app can run.", "Set Piccolo:Containers:Socket to Podman's REST socket.");
        var (manifest, text, problem) = await body.ReadAsync(cancellationToken);
        if (manifest is null) return problem!;
        var outcome = catalog.Install(manifest, text, RemoteNames.RulesFor);
        if (outcome is InstallOutcome.Created or InstallOutcome.Updated)
            http.Audit(outcome is InstallOutcome.Created ? AuditKinds.AppInstalled : AuditKinds.AppUpdated, ("app", manifest.Name));
        AppAim? aim = outcome switch
        {
            InstallOutcome.Created created => new AppAim.Install(created.App, null, IsNew: true),
            InstallOutcome.Updated updated => new AppAim.Install(updated.App, updated.Before, IsNew: false),
            _ => null,
        };
        if (aim is not null && commands.Follow(aim, http) is { } accepted) return accepted;
        return outcome switch
        {
            InstallOutcome.Created created =>
                TypedResults.Created($"/api/v1/apps/{created.App.Name}", new Envelope<AppResponse>(views.Describe(created.App), "app installed")),
            InstallOutcome.Updated updated => TypedResults.Ok(new Envelope<AppResponse>(views.Describe(updated.App), "app updated")),
            InstallOutcome.Invalid invalid => ManifestProblems.Invalid(invalid.Errors),
            InstallOutcome.Conflict conflict => ManifestProblems.Conflict(conflict.Errors),
            InstallOutcome.NoPortLeft full => Problems.Of(StatusCodes.Status503ServiceUnavailable, "no_port_left", "No port left", full.Sentence),
            _ => throw new InvalidOperationException(),
        };
    }

    private static Results<Ok<MessageResponse>, Accepted<JobResponse>, ProblemHttpResult> Remove(
        string name, AppCatalog catalog, IAppVolumes volumes, AppCommands commands, HttpContext http, bool purge = false)
    {
        if (catalog.Remove(name, purge, purge && volumes.List().Any(v => v.App == name)) is not { } removal) return NoSuchApp(name);
        http.Audit(AuditKinds.AppRemoved, ("app", name), ("purge", purge ? "true" : "false"));
        if (commands.Follow(new AppAim.Remove(removal), http) is { } accepted) return accepted;
        return TypedResults.Ok(new MessageResponse(purge ? "app removed, its data is deleted" : "app removed"));
    }

    private static Results<Ok<Envelope<AppResponse>>, Accepted<JobResponse>, ProblemHttpResult> SetDesired(
        string name, DesiredState desired, AppCatalog catalog, AppViews views, AppCommands commands, HttpContext http)
    {
        if (catalog.SetDesired(name, desired) is not { } app) return NoSuchApp(name);
        http.Audit(desired == DesiredState.Running ? AuditKinds.AppStarted : AuditKinds.AppStopped, ("app", name));
        if (commands.Follow(desired == DesiredState.Running ? new AppAim.Start(app) : new AppAim.Stop(app), http) is { } accepted) return accepted;
        return TypedResults.Ok(new Envelope<AppResponse>(views.Describe(app), desired == DesiredState.Running ? "app is to run" : "app is to stop"));
    }

    private static Results<Ok<Envelope<AppResponse>>, ProblemHttpResult> Update(string name, AppViews views, HttpContext http)
    {
        if (views.AskUpdate(name) is not { } app) return NoSuchApp(name);
        http.Audit(AuditKinds.AppUpdated, ("app", name));
        return TypedResults.Ok(new Envelope<AppResponse>(
            app, app.DesiredState == DesiredState.Running ? "a newer image is looked for" : "a newer image is looked for at the next start"));
    }

    private static ProblemHttpResult NoSuchApp(string name) => Problems.NotFound($"app '{name}'");
}
