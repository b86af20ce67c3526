using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Listeners;

namespace Piccolo.Tests.Core.Listeners;

internal sealed class PortAllocatorTests
{
    private static readonly PortRange Range = new(15000, 15004);

    [Test]
    public void Allocate_TakenAndBusyPorts_ArePassedOver()
    {
        var allocator = new PortAllocator(Range, port => port != 15001);

        Assert.That(allocator.Allocate(new HashSet<int> { 15000 }), Is.EqualTo(15002));
    }

    [Test]
    public void Allocate_TakenPorts_AreNotBindTested()
    {
        var tested = new List<int>();
        var allocator = new PortAllocator(Range, port =>
        {
            tested.Add(port);
            return true;
        });

        allocator.Allocate(new HashSet<int> { 15000, 15001 });

        Assert.That(tested, Is.EqualTo(new[] { 15002 }));
    }

    [Test]
    public void Allocate_Exhausted_GivesNone() =>
        Assert.That(new PortAllocator(Range, _ => true).Allocate(Enumerable.Range(15000, 5).ToHashSet()), Is.Null);

    [Test]
    public void Allocate_Freed_IsUsedAgain()
    {
        var allocator = new PortAllocator(Range, _ => true);

        Assert.That(allocator.Allocate(new HashSet<int> { 15001 }), Is.EqualTo(15000));
    }

    [Test]
    public void Allocate_AllBusy_StopsAfterBoundedTests()
    {
        var tests = 0;
        var allocator = new PortAllocator(new PortRange(15000, 25000), _ =>
        {
            tests++;
            return false;
        });

        Assert.That(allocator.Allocate(new HashSet<int>()), Is.Null);
        Assert.That(tests, Is.EqualTo(PortAllocator.MaxBindTests));
    }

    [Test]
    public void Probe_ListeningPort_CannotBeBoundUntilItCloses()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        Assert.That(PortProbe.CanBindLoopback(port), Is.False);
        Assert.That(PortProbe.CanBindAny(port), Is.False);
        listener.Stop();
        Assert.That(PortProbe.CanBindLoopback(port), Is.True);
    }

    [TestCase("1-65535", 1, 65535), TestCase("80-80", 80, 80)]
    public void TryParse_Valid_ReadsBothEnds(string text, int first, int last) =>
        Assert.That(PortRange.TryParse(text, out var range) ? range : default, Is.EqualTo(new PortRange(first, last)));

    [TestCase(null), TestCase(""), TestCase("80"), TestCase("0-5"), TestCase("9-5"), TestCase("1-65536"), TestCase("1-2-3"), TestCase("-1-5"), TestCase("a-b"),
        TestCase(" 1-2")]
    public void TryParse_Invalid_IsRefused(string? text) => Assert.That(PortRange.TryParse(text, out _), Is.False);

    [TestCase("15000-25000", "35000-45000", true), TestCase("15000-40000", "35000-45000", false), TestCase("x", "35000-45000", false)]
    public void Options_OverlapOrNonsense_IsRefused(string guard, string lan, bool valid) => Assert.That(
        new ListenerPortOptionsValidator().Validate(null, new ListenerPortOptions { GuardPorts = guard, PublicPorts = lan }).Succeeded, Is.EqualTo(valid));
}
