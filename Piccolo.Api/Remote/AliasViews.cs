using Piccolo.Core.Certificates;
using Piccolo.Core.Listeners;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Remote.Probing;

namespace Piccolo.Api.Remote;

/// <summary>Joins aliases with what was observed of them: records, certificates, and what a client from outside finds.</summary>
internal sealed class AliasViews(
    RemoteAliasStore aliases, RemoteAccess remote, ListenerTable listeners, CertificateInventory certificates, FrontDoorBoard names)
{
    public IReadOnlyList<AliasResponse> All() => [.. aliases.List().Select(Describe)];

    public AliasResponse Describe(RemoteAlias alias)
    {
        var reach = names.Find(alias.Hostname);
        var (status, message, nextStep) = Assess(alias, reach);
        return new AliasResponse(alias.Id, alias.Hostname, alias.Listener, status, alias.LastChecked, alias.VerifiedAt, message, nextStep, reach?.ToResponse());
    }

    /// <summary>From the first thing that must be true to the last: only a handshake that showed it makes an alias active.</summary>
    private (AliasStatus Status, string? Message, string? NextStep) Assess(RemoteAlias alias, NameReach? reach)
    {
        if (!alias.IsVerified) return (AliasStatus.Pending, alias.Problem ?? "Whether the name leads to the relay was not looked at yet.", alias.NextStep);
        var hasListener = alias.Listener == RemoteAlias.Portal || listeners.Current.Any(l => l.Name == alias.Listener);
        if (!hasListener) return (AliasStatus.Error, $"There is no listener '{alias.Listener}' any more.", "Install its app again, or remove the alias.");
        if (alias.Problem is { } problem) return (AliasStatus.Error, problem, alias.NextStep);
        if (reach?.Result is ReachResult.Reachable) return (AliasStatus.Active, null, null);
        if (certificates.Find(alias.Id) is { LastError: { } error }) return (AliasStatus.Error, error.Detail, error.NextStep);
        if (reach?.Result is ReachResult.Dead or ReachResult.Dns or ReachResult.WrongKey) return (AliasStatus.Error, reach.Detail, reach.NextStep);
        return remote.Plan.Hostnames.Contains(alias.Hostname)
            ? (AliasStatus.Pending, reach?.Detail ?? "The name was not dialled yet.", null)
            : (AliasStatus.Pending, "Remote access is off, or the name belongs to a listener.", null);
    }
}
