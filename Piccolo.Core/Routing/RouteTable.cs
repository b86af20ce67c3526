using System.Collections.Frozen;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Routing;

/// <summary>Every public name and where it leads: one immutable snapshot that decides everything. Unknown never falls to a default.</summary>
public sealed class RouteTable
{
    public static readonly RouteTable Empty = new([]);

    private readonly FrozenDictionary<string, Route> _byHost;

    /// <param name="routes">Each for its own host.</param>
    public RouteTable(IEnumerable<Route> routes) => _byHost = routes.ToFrozenDictionary(r => r.Host.Value, StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<Route> Routes => _byHost.Values;

    public Route? Find(string host) => _byHost.GetValueOrDefault(host);

    public Route? Find(DomainName host) => Find(host.Value);
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
