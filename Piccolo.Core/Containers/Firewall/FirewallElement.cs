using System.Collections.Immutable;

namespace Piccolo.Core.Containers.Firewall;

/// <summary>An entry of one of the sets of the table <c>inet piccolo_apps</c>.</summary>
/// <param name="Value">An address, or a network as <c>ADDRESS/LENGTH</c>.</param>
/// <param name="Owner">The installation that wrote it; empty where that does not matter.</param>
internal readonly record struct FirewallElement(string Set, string Value, string Owner = "");

/// <summary>What has to be done to the sets.</summary>
internal sealed record FirewallChange(ImmutableArray<FirewallElement> Remove, ImmutableArray<FirewallElement> Add)
{
    public bool IsNothing => Remove.IsEmpty && Add.IsEmpty;

    /// <summary>From what the sets hold to what they shall hold. Pure.</summary>
    /// <param name="owner">Of what others wrote, only what stands for an address of ours is taken away.</param>
    /// <param name="ours">The addresses of our containers, those without any right too.</param>
    public static FirewallChange Between(
        IReadOnlyCollection<FirewallElement> found, IReadOnlyCollection<FirewallElement> wanted, string owner, IReadOnlySet<string> ours)
    {
        var there = found.Select(f => (f.Set, f.Value)).ToHashSet();
        var needed = wanted.Select(w => (w.Set, w.Value)).ToHashSet();
        return new(
            [.. found.Where(f => !needed.Contains((f.Set, f.Value)) && (f.Owner == owner || FirewallSets.AreShared(f.Set) || ours.Contains(f.Value)))],
            [.. wanted.Where(w => !there.Contains((w.Set, w.Value))).DistinctBy(w => (w.Set, w.Value))]);
    }
}

/// <summary>The sets of the table, as <c>packaging/nftables/piccolo-apps.nft</c> names them.</summary>
internal static class FirewallSets
{
    public const string Resolvers = "resolvers";
    public const string Attached = "attached";
    public const string Containers = "containers";

    /// <summary>Without one of these the table is that of another release.</summary>
    public static readonly ImmutableArray<string> All = [.. NetworkRights.All.Words, Resolvers, Attached, Containers];

    /// <summary>Whether the set says something of this host, which is the same for every installation on it.</summary>
    public static bool AreShared(string set) => set is Resolvers or Attached or Containers;
}
