using Piccolo.Api.Listeners;
using Piccolo.Core.Apps;
using Piccolo.Core.Leadership;

namespace Piccolo.Api.Apps;

/// <summary>Joins what the store wants, what the supervisor observed and who leads, for answers.</summary>
internal sealed class AppViews(AppCatalog catalog, AppStatusBoard statuses, LeadershipRegistry leadership, ServiceViews services)
{
    public IReadOnlyList<AppResponse> List() => [.. catalog.List().Select(Describe)];

    public AppDetailResponse? Find(string name) =>
        catalog.Find(name) is { } app ? new AppDetailResponse(Describe(app), services.Of(app.Listeners), app.ToContainers(statuses.Of(app))) : null;

    public AppResponse? AskUpdate(string name) => catalog.AskUpdate(name) is { } app ? Describe(app) : null;

    public AppResponse Describe(AppRecord app) => app.ToResponse(statuses.Of(app), leadership.RoleOf(ResourceId.App(app.Name)));
}
