using System.Net;
using Piccolo.Core.Containers.Podman;

namespace Piccolo.Tests.Core.Containers;

internal sealed class ServiceAddressesTests
{
    private static readonly IPNetwork Usual = IPNetwork.Parse("10.89.3.0/24");

    [Test]
    public void Of_ManyServices_AreDistinctInTheUpperHalf()
    {
        var addresses = ServiceAddresses.Of(Usual, Enumerable.Range(0, 127).Select(i => $"s{i}"))!;

        Assert.That(addresses, Has.Count.EqualTo(127));
        Assert.That(addresses.Values, Is.Unique);
        Assert.That(addresses.Values.Select(a => (int)a.GetAddressBytes()[3]), Is.All.InRange(128, 254));
        Assert.That(addresses.Values.Select(Usual.Contains), Is.All.True);
    }

    [Test]
    public void Of_NamesInAnyOrder_AreTheSame() => Assert.That(
        ServiceAddresses.Of(Usual, ["main", "db", "cache", "db"]), Is.EqualTo(ServiceAddresses.Of(Usual, ["cache", "main", "db"])));

    [Test]
    public void Of_OneServiceMore_LeavesTheOthersWhereTheyWere()
    {
        var before = ServiceAddresses.Of(Usual, ["main", "db"])!;
        var after = ServiceAddresses.Of(Usual, ["main", "db", "cache", "search"])!;

        Assert.That((after["main"], after["db"]), Is.EqualTo((before["main"], before["db"])));
    }

    [TestCase("10.0.0.0/29", 3, ExpectedResult = true)]
    [TestCase("10.0.0.0/29", 4, ExpectedResult = false)]
    [TestCase("10.0.0.0/30", 1, ExpectedResult = false)]
    [TestCase("10.0.0.0/16", 20, ExpectedResult = true)]
    [TestCase("fd00::/64", 1, ExpectedResult = false)]
    public bool Of_SmallRanges_HaveAnEnd(string range, int services) =>
        ServiceAddresses.Of(IPNetwork.Parse(range), Enumerable.Range(0, services).Select(i => $"s{i}")) is not null;
}
