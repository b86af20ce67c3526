using Piccolo.Api.Auth;
using Piccolo.Api.Remote;
using Piccolo.Api.Vault;
using Piccolo.Core.Apps;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Probing;

namespace Piccolo.Api.Listeners;

/// <summary>Joins listeners with routes, roles, ports and app states, for answers.</summary>
internal sealed class ServiceViews(
    RemoteSettingsStore remote, LeadershipRegistry leadership, AppStatusBoard apps, LanPortStates ports, ListenerHealth health, FrontDoorBoard names)
{
    public IReadOnlyList<ServiceResponse> Of(IEnumerable<PublishedListener> listeners)
    {
        var settings = remote.Current is { Enabled: true } enabled ? enabled : null;
        return [.. listeners.Select(l => Describe(l, settings))];
    }

    private ServiceResponse Describe(PublishedListener listener, RemoteSettings? settings)
    {
        var role = leadership.RoleOf(ResourceId.App(listener.App));
        var remoteHost = settings is null ? null : RemotePlan.HostOf(settings, listener)?.Value;
        var (state, reason, since) = Observe(listener);
        return new ServiceResponse(
            listener.App,
            listener.Name,
            listener.Definition.GuestPort,
            listener.GuardPort,
            listener.PublicPort,
            listener.Definition.RemotePorts,
            remoteHost,
            listener.Definition.Flow,
            listener.Definition.Protocol,
            SchemeOf(listener.Definition),
            new ServiceRouteResponse(role.IsLeader ? RouteMode.Local : RouteMode.Tunnel, role.LeaderOrigin?.GetLeftPart(UriPartial.Authority)),
            state,
            reason,
            since,
            remoteHost is null ? null : names.Find(remoteHost)?.ToResponse());
    }

    private (ServiceState State, string? Reason, DateTimeOffset? Since) Observe(PublishedListener listener)
    {
        if (ports.Find(listener.Name) is { Binding: LanPortBinding.BindFailed } port) return (ServiceState.BindFailed, port.Reason, port.Since);
        var app = apps.Find(listener.App);
        if (app is { IsServing: true }) return health.Find(listener.Name) switch
        {
            null => (ServiceState.Listening, null, app.Since),
            { Answers: true } up => (ServiceState.Ok, null, up.Since),
            var down => (ServiceState.AppDown, down.Reason, down.Since),
        };
        return (ServiceState.AppDown, Say(app), app?.Since);
    }

    private static string Say(AppStatus? app) => app is null ? "installing" : app.Detail.Length > 0 ? app.Detail
        : System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName((app.Reason == AppReason.None ? app.State : (object)app.Reason).ToString()!);

    private static string SchemeOf(ListenerDefinition listener) => (listener.Flow, listener.Protocol) switch
    {
        (ListenerFlow.Tls, ListenerProtocol.Websocket) => "wss",
        (ListenerFlow.Tls, _) => "https",
        (_, ListenerProtocol.Websocket) => "ws",
        _ => "http",
    };
}
