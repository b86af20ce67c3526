using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Remote;

/// <summary>What apps are told as their own addresses: below the domain while remote access is on, else on the LAN.</summary>
internal sealed class RemoteListenerUrls(RemoteSettingsStore settings) : IListenerUrls
{
    private readonly LanListenerUrls _lan = new();

    public ListenerUrl Of(PublishedListener listener) =>
        settings.Current is { Enabled: true } remote && RemotePlan.HostOf(remote, listener) is { } host
            ? new ListenerUrl("https", host.Value, ListenerDefinition.HttpsPort)
            : _lan.Of(listener);
}
