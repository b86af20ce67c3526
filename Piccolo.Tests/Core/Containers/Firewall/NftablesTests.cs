using Microsoft.Extensions.Options;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Rig;
using Piccolo.Rig.Net;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Containers.Firewall;

/// <summary>The real nft behind a socket, as the unit <c>piccolo-firewall@.service</c> starts it, in a network of the test's own.</summary>
[Category("NeedsRoot"), Category("NeedsProcess")]
internal sealed class NftablesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private NetworkNamespace _network;
    private TempFolder _folder;

    [SetUp]
    public async Task SetUpAsync()
    {
        _folder = new TempFolder();
        _network = await NetworkNamespace.CreateAsync();
        await _network.RunAsync("nft", ["-f", PodmanServer.FirewallFile]);
    }

    [TearDown]
    public async Task TearDownAsync()
    {
        await _network.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Socket_OfTheUnit_ReadsAndWritesTheSets()
    {
        await using var server = await ServeAsync(["CAP_NET_ADMIN"]);
        var nft = new Nftables(Options.Create(new ContainerOptions { FirewallSocket = _folder.File("s") }), TimeProvider.System);
        FirewallElement[] wanted =
        [
            new("internet", "10.1.0.9", "abc"), new("attached", "192.168.7.0/24"), new("attached", "192.168.8.0/24"), new("dns", "10.1.0.9", "abc"),
        ];

        Assert.That(NftJson.Read((await nft.RunAsync(NftJson.List, default)).Text), Is.Empty);
        Assert.That((await nft.RunAsync(NftJson.Write(new FirewallChange([], [.. wanted])), default)).IsDone, Is.True);
        var found = NftJson.Read((await nft.RunAsync(NftJson.List, default)).Text);
        Assert.That(found, Is.EquivalentTo(wanted), "what was written is what is read, so that nothing is written again and again");
        Assert.That((await nft.RunAsync(NftJson.Write(new FirewallChange([.. wanted], [new("attached", "192.168.0.0/16")])), default)).IsDone, Is.True);
        Assert.That(NftJson.Read((await nft.RunAsync(NftJson.List, default)).Text), Is.EqualTo(new FirewallElement[] { new("attached", "192.168.0.0/16") }));

        var refused = await nft.RunAsync(NftJson.Write(new FirewallChange([wanted[0]], [new("resolvers", "192.168.7.1")])), default);

        Assert.That(refused.IsDone, Is.False, "an element that is not there cannot be removed");
        Assert.That(NftJson.Read((await nft.RunAsync(NftJson.List, default)).Text)!.Value, Has.Length.EqualTo(1), "and nothing else of the text is done");
        await _network.RunAsync("nft", ["delete", "table", "inet", "piccolo_apps"]);
        var missing = await nft.RunAsync(NftJson.List, default);
        Assert.That((missing.IsDone, missing.Text), Is.EqualTo((false, missing.Text)));
        Assert.That(missing.Text, Does.Contain("No such file or directory"));
    }

    [Test]
    public async Task Socket_OfAProgramWithoutTheRight_SaysSo()
    {
        await using var server = await ServeAsync([]);
        var nft = new Nftables(Options.Create(new ContainerOptions { FirewallSocket = _folder.File("s") }), TimeProvider.System);

        var answer = await nft.RunAsync(NftJson.List, default);

        Assert.That((answer.IsDone, answer.Text.Contains("not permitted", StringComparison.Ordinal)), Is.EqualTo((false, true)), answer.Text);
    }

    [Test]
    public async Task Socket_NobodyBehindIt_IsAnAnswerToo()
    {
        await File.WriteAllTextAsync(_folder.File("s"), "");
        var nft = new Nftables(Options.Create(new ContainerOptions { FirewallSocket = _folder.File("s") }), TimeProvider.System);

        var answer = await nft.RunAsync(NftJson.List, default);

        Assert.That((answer.IsDone, answer.Text), Is.EqualTo((false, answer.Text)));
        Assert.That(answer.Text, Is.Not.Empty);
    }

    /// <summary>As systemd serves <c>Accept=yes</c> with the socket as standard input, output and error.</summary>
    private async Task<ChildProcess> ServeAsync(string[] capabilities)
    {
        var unit = Repository.File("packaging/systemd/piccolo-firewall@.service");
        var words = File.ReadLines(unit).Single(l => l.StartsWith("ExecStart=", StringComparison.Ordinal))["ExecStart=".Length..];
        Assert.That(ShellWords.TrySplit(words, out var command), Is.True);
        var bounded = string.Concat(capabilities.Select(c => $",+{c["CAP_".Length..].ToLowerInvariant()}"));
        var server = ChildProcess.Start(new ChildProcessStart(
            "nsenter", [$"--net={_network.Path}", "systemd-socket-activate", "--accept", "--inetd", $"--listen={_folder.File("s")}", "setpriv",
                $"--bounding-set=-all{bounded}", $"--inh-caps=-all{bounded}", .. command!], _folder.File("log"), "util-linux, systemd, nftables"));
        await server.WaitForLineAsync("Listening on", Patience);
        return server;
    }
}
