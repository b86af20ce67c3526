using System.Collections.Frozen;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Routing;

/// <summary>Every public name and where it leads: one immutable snapshot that decides everything. Unknown never falls to a default.</summary>
public sealed class RouteTable
{
    public static readonly RouteTable Empty = new([]);

    private readonly FrozenDictionary<string, Route> _byHost;
    private readonly FrozenDictionary<string, Route> _wildcards;
    private readonly FrozenDictionary<string, Route>.AlternateLookup<ReadOnlySpan<char>> _byParent;

    /// <param name="routes">Each for its own host.</param>
    /// <param name="wildcards">Each for every name of exactly one label below its host, as a certificate's <c>*.</c> is (RFC 9525, 6.3); an exact name goes before.</param>
    public RouteTable(IEnumerable<Route> routes, IEnumerable<Route>? wildcards = null)
    {
        _byHost = Freeze(routes);
        _wildcards = Freeze(wildcards ?? []);
        _byParent = _wildcards.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public IReadOnlyCollection<Route> Routes => _byHost.Values;

    public IReadOnlyCollection<Route> Wildcards => _wildcards.Values;

    public Route? Find(string host) => _byHost.TryGetValue(host, out var route) || _wildcards.Count == 0 ? route : FindWildcard(host);

    public Route? Find(DomainName host) => Find(host.Value);

    private Route? FindWildcard(string host) =>
        host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && _byParent.TryGetValue(host.AsSpan(dot + 1), out var route) ? route : null;

    private static FrozenDictionary<string, Route> Freeze(IEnumerable<Route> routes) => routes.ToFrozenDictionary(r => r.Host.Value, StringComparer.OrdinalIgnoreCase);
}

/// <summary>Holds the current <see cref="RouteTable"/>; readers take one volatile read. Only the remote plan replaces it.</summary>
public sealed class RouteTableHolder
{
    private RouteTable _current = RouteTable.Empty;

    public RouteTable Current => Volatile.Read(ref _current);

    /// <summary>Raised after each replacement.</summary>
    public ChangeSignal Changed { get; } = new();

    public void Replace(RouteTable table)
    {
        Volatile.Write(ref _current, table);
        Changed.Raise();
    }
}
