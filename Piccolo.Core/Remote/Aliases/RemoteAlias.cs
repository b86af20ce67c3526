using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Remote.Aliases;

/// <summary>Another public name for the portal or a listener.</summary>
/// <param name="Id"><c>alias:&lt;fqdn&gt;</c>, also the id of its certificate.</param>
/// <param name="Hostname">In normal form.</param>
/// <param name="Listener"><c>portal</c>, or a listener's name.</param>
/// <param name="VerifiedAt">When DNS was first seen to lead the name to the relay. Before that the name is neither routed nor certified.</param>
/// <param name="Problem">What the last look found wrong; null when nothing.</param>
public sealed record RemoteAlias(
    string Id, string Hostname, string Listener, DateTimeOffset AddedAt, DateTimeOffset? VerifiedAt, DateTimeOffset? LastChecked, string? Problem,
    string? NextStep)
{
    public const string Portal = "portal";

    public DomainName Name => DomainName.Parse(Hostname);

    public bool IsVerified => VerifiedAt is not null;

    public static string IdOf(DomainName name) => "alias:" + name.Value;
}

public enum AliasOutcome
{
    Added,
    Taken,
    TooMany,
}

/// <summary>The aliases as sealed records. Thread-safe.</summary>
public sealed class RemoteAliasStore(SealedStore store)
{
    private static readonly StoreCollection<RemoteAlias> Aliases = new("remote-aliases");

    /// <summary>Empty while sealed. In the order of their names.</summary>
    public IReadOnlyList<RemoteAlias> List() => store.IsOpen ? [.. store.List(Aliases).OrderBy(a => a.Hostname, StringComparer.Ordinal)] : [];

    public AliasOutcome Add(RemoteAlias alias, int limit) => store.Commit(transaction =>
    {
        if (transaction.Get(Aliases, alias.Id) is not null || RemoteNames.IsTaken(transaction, alias.Name)) return AliasOutcome.Taken;
        if (transaction.List(Aliases).Count >= limit) return AliasOutcome.TooMany;
        transaction.Put(Aliases, alias.Id, alias);
        return AliasOutcome.Added;
    });

    internal static IReadOnlyList<RemoteAlias> In(StoreTransaction transaction) => transaction.List(Aliases);

    /// <returns>What was removed; null when there was none.</returns>
    public RemoteAlias? Remove(string id) => store.Commit(transaction =>
    {
        if (transaction.Get(Aliases, id) is not { } alias) return null;
        transaction.Delete(Aliases, id);
        return alias;
    });

    /// <summary>Keeps what a look found, unless the alias is gone meanwhile.</summary>
    internal void Checked(string id, DateTimeOffset at, AliasCheck found) => store.Commit(transaction =>
    {
        if (transaction.Get(Aliases, id) is not { } alias) return;
        transaction.Put(Aliases, id, alias with
        {
            LastChecked = at,
            VerifiedAt = alias.VerifiedAt ?? (found.PointsToRelay ? at : null),
            Problem = found.Problem,
            NextStep = found.NextStep,
        });
    });
}

/// <summary>What a look at an alias found.</summary>
/// <param name="PointsToRelay">DNS leads the name to the relay, and CAA lets our CA issue.</param>
public sealed record AliasCheck(bool PointsToRelay, string? Problem, string? NextStep);
