using Piccolo.Tests.Fakes;
using YamlDotNet.RepresentationModel;

namespace Piccolo.Tests.Compose;

/// <summary>What <c>compose.yaml</c> names exists. That the stack works is shown by <c>compose/check</c>.</summary>
[TestFixture("compose.yaml")]
[TestFixture("compose.local.yaml")]
internal sealed class ComposeFileTests(string name)
{
    private readonly IReadOnlyDictionary<string, YamlMappingNode> _services = ComposeFile.Read(name).Services;

    [Test]
    public void Images_OfEveryService_HaveAPinnedTag() => Assert.That(
        _services.Values.Select(s => ComposeFile.Text(s["image"])), Is.Not.Empty.And.All.Match(@"^[a-z0-9./-]+:v?\d+\.\d+\.\d+$"),
        "a tag of one release, never 'latest'");

    [Test]
    public void Builds_OfEveryService_NameAContainerfileThatExists()
    {
        foreach (var (service, what) in _services)
        {
            var build = ComposeFile.Map(what, "build");
            var file = Path.Combine(Repository.File("compose"), ComposeFile.Text(build["context"]), ComposeFile.Text(build["dockerfile"]));

            Assert.That(file, Does.Exist, $"the Containerfile of {service}");
        }
    }

    [Test, Category("NeedsProcess")]
    public async Task Mounts_OfEveryService_AreCommittedOrMadeByPrepare()
    {
        using var prepared = await PreparedFolder.MakeAsync();
        var mounted = _services.Values.SelectMany(s => ComposeFile.List(s, "volumes")).Select(v => v.Split(':')[0]).Where(v => v.StartsWith('.')).ToList();

        Assert.That(prepared.Run.ExitCode, Is.Zero, prepared.Run.Output);
        Assert.That(mounted, Is.Not.Empty);
        foreach (var file in mounted)
            Assert.That(file.StartsWith("./generated/", StringComparison.Ordinal) ? prepared.File(file) : Repository.File($"compose/{file}"), Does.Exist,
                $"an engine makes a folder of {file}");
    }

    [Test]
    public void Dependencies_ThatMustBeHealthy_HaveAHealthCheck()
    {
        var all = ComposeFile.Read("compose.yaml").Services;
        var needed = _services.Values.Where(s => s.Children.ContainsKey("depends_on")).SelectMany(s => ComposeFile.Map(s, "depends_on"))
            .Where(d => ComposeFile.Text(((YamlMappingNode)d.Value)["condition"]) == "service_healthy").Select(d => ComposeFile.Text(d.Key));

        Assert.That(needed.Where(s => !all[s].Children.ContainsKey("healthcheck")), Is.Empty, "an engine waits for their health without an end");
    }
}
