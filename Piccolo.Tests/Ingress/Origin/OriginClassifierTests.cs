using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Network;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Ingress.Origin;

internal sealed class OriginClassifierTests
{
    private static readonly ConnectedNetwork[] Networks =
    [
        Network("lo", 1, "127.0.0.1", 8),
        Network("eth0", 2, "192.168.1.10", 24),
        Network("eth0", 2, "2001:db8:1::10", 64),
        Network("eth0", 2, "fe80::1%2", 64),
        Network("podman0", 3, "10.88.0.1", 16) with { IsContainer = true },
        Network("podman0", 3, "fe80::2%3", 64) with { IsContainer = true },
        Network("br-1234", 4, "172.18.0.1", 16) with { IsContainer = true },
        Network("vpn0", 5, "10.0.0.5", 8),
        Network("odd0", 6, "172.30.5.17", 20),
    ];

    [TestCase("127.0.0.1", ConnectionOrigin.Loopback)]
    [TestCase("127.8.9.1", ConnectionOrigin.Loopback)]
    [TestCase("::1", ConnectionOrigin.Loopback)]
    [TestCase("::ffff:127.0.0.1", ConnectionOrigin.Loopback)]
    [TestCase("192.168.1.77", ConnectionOrigin.Lan)]
    [TestCase("::ffff:192.168.1.77", ConnectionOrigin.Lan)]
    [TestCase("192.168.2.77", ConnectionOrigin.Forwarded)]
    [TestCase("2001:db8:1::77", ConnectionOrigin.Lan)]
    [TestCase("2001:db8:2::77", ConnectionOrigin.Forwarded)]
    [TestCase("fe80::77%2", ConnectionOrigin.Lan)]
    [TestCase("fe80::77%3", ConnectionOrigin.Container)]
    [TestCase("fe80::77%9", ConnectionOrigin.Forwarded)]
    [TestCase("10.88.3.4", ConnectionOrigin.Container)]
    [TestCase("::ffff:10.88.3.4", ConnectionOrigin.Container)]
    [TestCase("10.89.3.4", ConnectionOrigin.Lan)]
    [TestCase("172.18.0.2", ConnectionOrigin.Container)]
    [TestCase("172.30.15.255", ConnectionOrigin.Lan)]
    [TestCase("172.30.16.0", ConnectionOrigin.Forwarded)]
    [TestCase("203.0.113.9", ConnectionOrigin.Forwarded)]
    public void Describe_OfAnAddress_GivesItsOrigin(string address, ConnectionOrigin expected)
    {
        var classifier = Create();

        var described = classifier.Classify(new IPEndPoint(IPAddress.Parse(address), 5), 80);

        Assert.That(described.Origin, Is.EqualTo(expected));
        Assert.That(described.IsAllowedNetwork, Is.EqualTo(expected is ConnectionOrigin.Loopback or ConnectionOrigin.Lan));
        Assert.That(described.ClientEndPoint!.Address.IsIPv4MappedToIPv6, Is.False);
    }

    [TestCase("192.168.2.77", true)]
    [TestCase("192.168.1.77", false)]
    [TestCase("127.0.0.1", true)]
    [TestCase("203.0.113.9", false)]
    public void Describe_WithAllowedNetworks_AdmitsThoseAndLoopback(string address, bool admitted)
    {
        var classifier = Create("192.168.2.0/24");

        Assert.That(classifier.Classify(new IPEndPoint(IPAddress.Parse(address), 5), 80).IsAllowedNetwork, Is.EqualTo(admitted));
    }

    [Test]
    public void Describe_WithoutAnAddress_TrustsLeast()
    {
        var classifier = Create();

        var described = classifier.Classify(null, 80);

        Assert.That((described.Origin, described.IsAllowedNetwork, described.ClientEndPoint),
            Is.EqualTo((ConnectionOrigin.Forwarded, false, (IPEndPoint?)null)));
    }

    [Test]
    public void Refresh_AfterAnInterfaceCame_KnowsItsNetwork()
    {
        var networks = Networks.ToList();
        var classifier = new OriginClassifier(Options.Create(new IngressOptions()), NullLogger<OriginClassifier>.Instance,
            _ => (new NetworkMap(networks), null));
        networks.Add(Network("pic1", 9, "203.0.113.1", 24) with { IsContainer = true });

        classifier.Refresh();

        Assert.That(classifier.Classify(new IPEndPoint(IPAddress.Parse("203.0.113.9"), 5), 80).Origin, Is.EqualTo(ConnectionOrigin.Container));
        Assert.That(classifier.IsOwn(IPAddress.Parse("203.0.113.1")), Is.True);
        Assert.That(classifier.IsOwn(IPAddress.Parse("203.0.113.2")), Is.False);
    }

    [Test]
    public void Create_WhileInterfacesAreUnreadable_TrustsOnlyLoopbackUntilTheNextRead()
    {
        var readable = false;
        using var log = new CapturedLog();
        var classifier = new OriginClassifier(
            Options.Create(new IngressOptions()), log.For<OriginClassifier>(), _ => readable ? (new NetworkMap(Networks), null) : (null, "a link vanished"));
        var neighbour = new IPEndPoint(IPAddress.Parse("192.168.1.77"), 5);

        Assert.That(classifier.Classify(neighbour, 80).Origin, Is.EqualTo(ConnectionOrigin.Forwarded));
        Assert.That(classifier.Classify(new IPEndPoint(IPAddress.Loopback, 5), 80).Origin, Is.EqualTo(ConnectionOrigin.Loopback));
        Assert.That(log.Text, Does.Contain("a link vanished"));
        readable = true;
        Assert.That(classifier.Refresh(), Is.True);
        Assert.That(classifier.Classify(neighbour, 80).Origin, Is.EqualTo(ConnectionOrigin.Lan));
    }

    [Test]
    public void Refresh_ThatCannotRead_KeepsTheLastNetworks()
    {
        var readable = true;
        var classifier = new OriginClassifier(
            Options.Create(new IngressOptions()), NullLogger<OriginClassifier>.Instance, _ => readable ? (new NetworkMap(Networks), null) : (null, "no"));
        readable = false;

        Assert.That(classifier.Refresh(), Is.False);
        Assert.That(classifier.Classify(new IPEndPoint(IPAddress.Parse("192.168.1.77"), 5), 80).Origin, Is.EqualTo(ConnectionOrigin.Lan));
    }

    [TestCase("br-lan", false, false, null, ConnectionOrigin.Lan)]
    [TestCase("docker0", false, false, null, ConnectionOrigin.Lan, Description = "A name says nothing.")]
    [TestCase("pic1a2b", true, false, null, ConnectionOrigin.Container)]
    [TestCase("eth0", false, false, "10.1.2.0/24", ConnectionOrigin.Container, Description = "The engine's word.")]
    [TestCase("br0", true, true, "10.1.2.0/24", ConnectionOrigin.Lan, Description = "It leads out of the house.")]
    public void Of_AnInterface_IsContainersByItsMembersOrTheEnginesWord(string name, bool isBridge, bool hasGateway, string? network, ConnectionOrigin expected)
    {
        var face = new HostInterface(name, 7, true, false, [new InterfaceAddress(IPAddress.Parse("10.1.2.1"), 24)],
            hasGateway ? [IPAddress.Parse("10.1.2.254")] : [])
        {
            IsContainerBridge = isBridge,
        };

        Assert.That(NetworkMap.Of([face], network is null ? [] : [IPNetwork.Parse(network)]).Classify(IPAddress.Parse("10.1.2.9")), Is.EqualTo(expected));
    }

    [Test]
    public void Learn_WhatTheEngineSays_CountsFromTheNextReadOn()
    {
        var face = new HostInterface("any0", 7, true, false, [new InterfaceAddress(IPAddress.Parse("10.1.2.1"), 24)], []);
        var classifier = new OriginClassifier(
            Options.Create(new IngressOptions()), NullLogger<OriginClassifier>.Instance, networks => (NetworkMap.Of([face], networks), null));
        ConnectionOrigin Origin() => classifier.Classify(IPEndPoint.Parse("10.1.2.9:5"), 80).Origin;
        Assert.That(Origin(), Is.EqualTo(ConnectionOrigin.Lan));

        Assert.That(classifier.Learn([IPNetwork.Parse("10.1.2.0/24")]), Is.True);
        classifier.Refresh();

        Assert.That(Origin(), Is.EqualTo(ConnectionOrigin.Container));
        Assert.That(classifier.Learn([IPNetwork.Parse("10.1.2.0/24")]), Is.False);
    }

    [Test]
    public void OfThisHost_HasLoopback() => Assert.That(NetworkMap.OfThisHost([]).Map!.Classify(IPAddress.Loopback), Is.EqualTo(ConnectionOrigin.Loopback));

    private static ConnectedNetwork Network(string name, int index, string address, int prefix) => new(name, index, IPAddress.Parse(address), prefix);

    private static OriginClassifier Create(params string[] allowed)
    {
        var options = new IngressOptions();
        foreach (var network in allowed) options.AllowedNetworks.Add(network);
        return new OriginClassifier(Options.Create(options), NullLogger<OriginClassifier>.Instance, _ => (new NetworkMap(Networks), null));
    }
}
