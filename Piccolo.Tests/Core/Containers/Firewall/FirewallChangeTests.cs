using Piccolo.Core.Containers.Firewall;

namespace Piccolo.Tests.Core.Containers.Firewall;

internal sealed class FirewallChangeTests
{
    private const string Me = "11111111";
    private const string Other = "22222222";

    [Test]
    public void Between_NothingThere_AddsWhatIsWantedOnce()
    {
        var change = FirewallChange.Between([], [Mine("internet", "10.1.0.9"), Mine("internet", "10.1.0.9"), Mine("dns", "10.1.0.9")], Me, Ours("10.1.0.9"));

        Assert.That(change.Add, Is.EqualTo(new[] { Mine("internet", "10.1.0.9"), Mine("dns", "10.1.0.9") }));
        Assert.That(change.Remove, Is.Empty);
    }

    [Test]
    public void Between_AllThere_IsNothing() => Assert.That(
        FirewallChange.Between(
            [Mine("internet", "10.1.0.9"), new("resolvers", "192.168.1.1")], [new("resolvers", "192.168.1.1"), Mine("internet", "10.1.0.9")], Me,
            Ours("10.1.0.9")).IsNothing,
        Is.True);

    [Test]
    public void Between_ContainerGone_TakesItsRightsAway()
    {
        var change = FirewallChange.Between([Mine("internet", "10.1.0.9"), Mine("internet", "10.1.0.8")], [Mine("internet", "10.1.0.8")], Me, Ours("10.1.0.8"));

        Assert.That(change.Remove, Is.EqualTo(new[] { Mine("internet", "10.1.0.9") }));
        Assert.That(change.Add, Is.Empty);
    }

    /// <summary>Two installations on one machine: neither takes the other's away, unless the address is its own now.</summary>
    [Test]
    public void Between_ElementsOfAnotherInstallation_StayUnlessTheAddressIsOurs()
    {
        FirewallElement theirs = new("internet", "10.9.0.9", Other), stale = new("local_network", "10.1.0.9", Other), manual = new("internet", "10.9.0.1");

        var change = FirewallChange.Between([theirs, stale, manual], [], Me, Ours("10.1.0.9"));

        Assert.That(change.Remove, Is.EqualTo(new[] { stale }));
    }

    [Test]
    public void Between_WantedAndWrittenByAnother_IsLeft() => Assert.That(
        FirewallChange.Between([new("internet", "10.1.0.9", Other)], [Mine("internet", "10.1.0.9")], Me, Ours("10.1.0.9")).IsNothing, Is.True);

    [Test]
    public void Between_WhatIsSaidOfTheHost_FollowsTheHostWhoeverWroteIt()
    {
        var change = FirewallChange.Between(
            [new("resolvers", "192.168.1.1"), new("attached", "192.168.1.0/24", Other)], [new("attached", "192.168.2.0/24")], Me, Ours());

        Assert.That(change.Remove, Is.EqualTo(new FirewallElement[] { new("resolvers", "192.168.1.1"), new("attached", "192.168.1.0/24", Other) }));
        Assert.That(change.Add, Is.EqualTo(new FirewallElement[] { new("attached", "192.168.2.0/24") }));
    }

    private static FirewallElement Mine(string set, string value) => new(set, value, Me);

    private static HashSet<string> Ours(params string[] addresses) => [.. addresses];
}
