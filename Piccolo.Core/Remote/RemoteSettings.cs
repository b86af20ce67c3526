using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Remote;

/// <summary>How the appliance is reached from outside, as the owner configured it. Names are in normal form.</summary>
/// <param name="Endpoint">The relay's hub, <c>wss://host[:port][/path]</c>.</param>
/// <param name="DeviceSecret">What the relay knows this device by. Never shown again.</param>
/// <param name="Domain">Below which every listener gets its name.</param>
/// <param name="PortalHost">The portal's own name.</param>
public sealed record RemoteSettings(string Endpoint, string DeviceSecret, string Domain, string PortalHost, bool Enabled, DateTimeOffset ConfiguredAt)
{
    public DomainName DomainName => DomainName.Parse(Domain);

    public DomainName PortalName => DomainName.Parse(PortalHost);
}

/// <summary>The one record of remote settings. Thread-safe.</summary>
public sealed class RemoteSettingsStore(SealedStore store)
{
    private const string Key = "settings";
    private static readonly StoreCollection<RemoteSettings> Remote = new("remote");

    /// <returns>Null when never configured, or while sealed.</returns>
    public RemoteSettings? Current => store.IsOpen ? store.Get(Remote, Key) : null;

    internal static RemoteSettings? In(StoreTransaction transaction) => transaction.Get(Remote, Key);

    public void Save(RemoteSettings settings) => store.Commit(transaction => transaction.Put(Remote, Key, settings));

    /// <summary>Replaces the secret alone.</summary>
    /// <param name="endpoint">The relay that accepted it.</param>
    /// <returns>False when the settings name another relay by now; nothing was changed.</returns>
    public bool Rotate(string endpoint, string deviceSecret) => store.Commit(transaction =>
    {
        if (transaction.Get(Remote, Key) is not { } settings || settings.Endpoint != endpoint) return false;
        transaction.Put(Remote, Key, settings with { DeviceSecret = deviceSecret });
        return true;
    });

    /// <returns>The settings as they are now; null when there are none.</returns>
    public RemoteSettings? Disable() => store.Commit(transaction =>
    {
        if (transaction.Get(Remote, Key) is not { } settings) return null;
        var disabled = settings with { Enabled = false };
        if (settings.Enabled) transaction.Put(Remote, Key, disabled);
        return disabled;
    });
}
