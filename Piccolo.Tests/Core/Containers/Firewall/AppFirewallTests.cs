using System.Text.Json.Nodes;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Tests.Core.Apps;

namespace Piccolo.Tests.Core.Containers.Firewall;

/// <summary>What is said where the packet filter cannot be kept. What the rules do is tried in <see cref="AppNetworkRulesTests"/>.</summary>
internal sealed class AppFirewallTests
{
    private static readonly string EmptySets = "{\"nftables\":["
        + string.Join(',', FirewallSets.All.Select(n => $$$"""{"set":{"family":"inet","name":"{{{n}}}","table":"piccolo_apps"}}""")) + "]}";

    private readonly InstanceId _instance = InstanceId.NewRandom();
    private Scripted _nft;
    private RecordedLog _log;

    [SetUp]
    public void NewAnswers() => (_nft, _log) = (new Scripted(), new RecordedLog());

    [Test]
    public async Task BringAbout_Rights_AreWrittenInOneTransaction()
    {
        _nft.Answers.Enqueue(new(true, EmptySets));
        _nft.Answers.Enqueue(new(true, ""));

        var fault = await Firewall().BringAboutAsync(
            [new("10.1.0.9", new(Internet: true, LocalNetwork: false, Dns: true)), new("10.1.0.8", default)], default);

        Assert.That((fault, _nft.Asked.Count), Is.EqualTo(((ContainerFault?)null, 2)));
        var added = JsonNode.Parse(_nft.Asked[1])!["nftables"]!.AsArray().Select(c => c!["add"]?["element"]).OfType<JsonNode>().ToDictionary(
            e => e["name"]!.GetValue<string>(), e => e["elem"]!.ToJsonString());
        Assert.That(added.Keys, Is.EquivalentTo(new[] { "internet", "dns", "resolvers", "attached" }));
        Assert.That(added["internet"], Is.EqualTo($$$"""[{"elem":{"val":"10.1.0.9","comment":"{{{_instance.Prefix}}}"}}]"""));
        Assert.That(_log.Of(5111), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task BringAbout_NothingToDo_WritesNothing()
    {
        var sets = EmptySets.Replace("\"name\":\"resolvers\"", "\"name\":\"resolvers\",\"elem\":[\"192.168.1.1\"]", StringComparison.Ordinal)
            .Replace("\"name\":\"attached\"", "\"name\":\"attached\",\"elem\":[{\"prefix\":{\"addr\":\"192.168.1.0\",\"len\":24}}]", StringComparison.Ordinal);
        _nft.Answers.Enqueue(new(true, sets));

        Assert.That(await Firewall().BringAboutAsync([new("10.1.0.8", default)], default), Is.Null);

        Assert.That(_nft.Asked, Has.Count.EqualTo(1));
    }

    [TestCase("internal:0:0-0: Error: No such file or directory", ContainerFaultKind.FirewallMissing)]
    [TestCase("Operation not permitted (you must be root)", ContainerFaultKind.FirewallUnknown)]
    [TestCase("nft is not installed", ContainerFaultKind.FirewallUnknown)]
    public async Task BringAbout_Refused_SaysWhetherTheTableIsMissing(string words, ContainerFaultKind kind)
    {
        var firewall = Firewall();
        _nft.Answers.Enqueue(new(false, words));

        var fault = await firewall.BringAboutAsync([], default);

        Assert.That((fault!.Kind, firewall.Fault), Is.EqualTo((kind, fault)));
        Assert.That(_log.Of(5109).Single(), Does.Contain(words));
    }

    [Test]
    public async Task BringAbout_TableOfAnEarlierRelease_IsMissing()
    {
        _nft.Answers.Enqueue(new(true, "{\"nftables\":[{\"metainfo\":{}}]}"));

        Assert.That((await Firewall().BringAboutAsync([], default))!.Kind, Is.EqualTo(ContainerFaultKind.FirewallMissing));
    }

    [Test]
    public async Task BringAbout_WriteRefused_IsAFaultAndToldOnceUntilItWorks()
    {
        var firewall = Firewall();
        foreach (var _ in (int[])[1, 2])
        {
            _nft.Answers.Enqueue(new(true, EmptySets));
            _nft.Answers.Enqueue(new(false, new string('x', 5_000)));
            Assert.That((await firewall.BringAboutAsync([], default))!.Kind, Is.EqualTo(ContainerFaultKind.FirewallUnknown));
        }
        _nft.Answers.Enqueue(new(true, EmptySets));
        _nft.Answers.Enqueue(new(true, ""));
        Assert.That(await firewall.BringAboutAsync([], default), Is.Null);

        Assert.That(_log.Of(5109).Single(), Has.Length.LessThan(700));
        Assert.That((_log.Of(5110).Count, firewall.Fault), Is.EqualTo((1, (ContainerFault?)null)));
    }

    [TestCase("")]
    [TestCase("half an answ")]
    [TestCase("{\"nftables\":[{\"set\":7}]}")]
    public async Task BringAbout_AnswerOfAnotherShape_IsUnknown(string answer)
    {
        _nft.Answers.Enqueue(new(true, answer));

        Assert.That((await Firewall().BringAboutAsync([], default))!.Kind, Is.AnyOf(ContainerFaultKind.FirewallUnknown, ContainerFaultKind.FirewallMissing));
    }

    private AppFirewall Firewall() =>
        new(_nft, () => new HostPicture(["192.168.1.1"], new HostNetworks(["192.168.1.0/24"], [])), _instance, _log.For<AppFirewall>());

    private sealed class Scripted : INftables
    {
        public Queue<NftAnswer> Answers { get; } = [];

        public List<string> Asked { get; } = [];

        public Task<NftAnswer> RunAsync(string commands, CancellationToken cancellationToken)
        {
            Asked.Add(commands);
            return Task.FromResult(Answers.Dequeue());
        }
    }
}
