using Piccolo.Core.Apps;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Aliases;

namespace Piccolo.Core.Remote;

/// <summary>Whose a public name is, read inside the transaction that gives one away: no name ever has two owners.</summary>
public static class RemoteNames
{
    /// <summary>What portal, aliases and the length of names say to a new listener's name.</summary>
    public static Func<string, NameRefusal?> RulesFor(StoreTransaction transaction)
    {
        if (RemoteSettingsStore.In(transaction) is not { } settings) return _ => null;
        var (domain, portal) = (settings.DomainName, settings.PortalName);
        var aliases = RemoteAliasStore.In(transaction).Select(a => a.Hostname).ToHashSet(StringComparer.Ordinal);
        return label => domain.TryPrepend(label) is not { } host
            ? new NameRefusal($"The public name would be longer than {DomainName.MaxLength} characters below {domain}.", IsInvalid: true)
            : host == portal ? new NameRefusal($"The name '{label}' belongs to the appliance's own portal.", IsInvalid: false)
            : aliases.Contains(host.Value) ? new NameRefusal($"The name '{label}' belongs to the alias {host}; remove that first.", IsInvalid: false)
            : null;
    }

    /// <summary>Whether the portal or a listener has the name.</summary>
    internal static bool IsTaken(StoreTransaction transaction, DomainName name)
    {
        if (RemoteSettingsStore.In(transaction) is not { } settings) return false;
        return name == settings.PortalName
            || transaction.List(AppRecord.Collection).SelectMany(a => a.Listeners).Any(l => RemotePlan.HostOf(settings, l) == name);
    }
}
