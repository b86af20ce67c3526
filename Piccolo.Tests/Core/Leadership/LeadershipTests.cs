using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Core.Health;
using Piccolo.Core.Leadership;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Leadership;

internal sealed class LeadershipTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly CapturedLog _log = new();

    [Test]
    public void RoleOf_UnnamedResource_IsLeader()
    {
        var registry = new LeadershipRegistry(_log.For<LeadershipRegistry>());

        Assert.That(registry.RoleOf(ResourceId.ControlPlane), Is.EqualTo(Role.Leader));
        Assert.That(registry.RoleOf(ResourceId.App("web")), Is.EqualTo(Role.Leader));
    }

    [Test]
    public void Apply_ChangedRole_LogsResourceAndRoleOnce()
    {
        var registry = new LeadershipRegistry(_log.For<LeadershipRegistry>());
        var follower = new Dictionary<ResourceId, Role> { [ResourceId.App("web")] = Role.FollowerOf(new Uri("https://10.0.0.2")) };

        registry.Apply(follower);
        registry.Apply(follower);

        var lines = _log.Entries.Where(e => e.EventId == 4000 && e.Message.Contains("resource=app:web", StringComparison.Ordinal)).ToList();
        Assert.That(lines, Has.Count.EqualTo(1));
        Assert.That(lines[0].Message, Does.Contain("role=follower").And.Contain("leader=https://10.0.0.2"));
    }

    [TestCase("""{"control-plane":{"role":"follower","leader":"https://10.0.0.2"}}""", "")]
    [TestCase("""{"app:web":{"role":"follower"}}""", "")]
    [TestCase("{}", "")]
    [TestCase("", "not valid JSON")]
    [TestCase("[]", "not an object")]
    [TestCase("""{"web":{"role":"leader"}}""", "neither control-plane nor app")]
    [TestCase("""{"app:We b":{"role":"leader"}}""", "neither control-plane nor app")]
    [TestCase("""{"app:web":"leader"}""", "must be an object")]
    [TestCase("""{"app:web":{"role":"boss"}}""", "must be an object with role")]
    [TestCase("""{"app:web":{"role":"follower","leader":"https://user@host"}}""", "origin")]
    [TestCase("""{"app:web":{"role":"follower","leader":"https://host/path"}}""", "origin")]
    [TestCase("""{"app:web":{"role":"follower","leader":"ftp://host"}}""", "origin")]
    public void RolesFile_Content_IsReadOrRefusedWithTheReason(string json, string reason)
    {
        var roles = RolesFile.TryParse(Encoding.UTF8.GetBytes(json), out var said);

        Assert.That(roles is not null, Is.EqualTo(reason.Length == 0));
        Assert.That(said, Does.Contain(reason));
    }

    [Test]
    public async Task FileElector_FileReplaced_AppliesTheNewRoles()
    {
        using var folder = new TempFolder();
        var registry = new LeadershipRegistry(_log.For<LeadershipRegistry>());
        using var stop = new CancellationTokenSource();
        var running = Elector(folder).RunAsync(registry, stop.Token);
        await WriteAsync(folder, """{"app:web":{"role":"follower","leader":"https://10.0.0.2"}}""");
        await UntilAsync(registry, r => !r.RoleOf(ResourceId.App("web")).IsLeader);

        await WriteAsync(folder, "this is not JSON");
        await WriteAsync(folder, "{}");
        await UntilAsync(registry, r => r.RoleOf(ResourceId.App("web")).IsLeader);

        await stop.CancelAsync();
        Assert.That(async () => await running.WaitAsync(Limit), Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("{\"app:web\":{\"role\":\"lea")]
    public async Task FileElector_NoUsableFileAtStart_LeadsNothingUntilThereIsOne(string? torn)
    {
        using var folder = new TempFolder();
        if (torn is not null) await File.WriteAllTextAsync(folder.File("roles.json"), torn);
        var services = TestServices.New().AddSingleton(TimeProvider.System).AddSingleton<HealthTracker>().AddLeadership();
        services.Configure<LeadershipOptions>(options => (options.Mode, options.File) = (LeadershipMode.File, folder.File("roles.json")));
        await using var provider = services.BuildServiceProvider();
        var registry = provider.GetRequiredService<LeadershipRegistry>();
        var health = provider.GetRequiredService<HealthTracker>();
        using var stop = new CancellationTokenSource();
        var running = provider.GetRequiredService<ILeaderElector>().RunAsync(registry, stop.Token);
        using var patience = new CancellationTokenSource(Limit);
        for (var seen = health.Changed.Version; health.Snapshot.Overall != HealthLevel.Degraded; seen = health.Changed.Version)
            await health.Changed.WaitAsync(seen, patience.Token);

        Assert.That(registry.RoleOf(ResourceId.ControlPlane), Is.EqualTo(Role.Unknown));
        Assert.That(registry.RoleOf(ResourceId.App("web")), Is.EqualTo(Role.Unknown));

        await WriteAsync(folder, """{"app:web":{"role":"follower"}}""");
        await UntilAsync(registry, r => r.RoleOf(ResourceId.ControlPlane).IsLeader);
        Assert.That(registry.RoleOf(ResourceId.App("web")), Is.EqualTo(Role.FollowerOf(null)));
        await stop.CancelAsync();
        Assert.That(async () => await running.WaitAsync(Limit), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task FileElector_FileVanishes_KeepsTheLastRoles()
    {
        using var folder = new TempFolder();
        var registry = new LeadershipRegistry(_log.For<LeadershipRegistry>());
        await WriteAsync(folder, """{"control-plane":{"role":"follower"}}""");
        var health = new HealthTracker(TimeProvider.System, NullLogger<HealthTracker>.Instance);
        using var stop = new CancellationTokenSource();
        var running = Elector(folder, health).RunAsync(registry, stop.Token);
        await UntilAsync(registry, r => !r.RoleOf(ResourceId.ControlPlane).IsLeader);

        File.Delete(folder.File("roles.json"));
        using var patience = new CancellationTokenSource(Limit);
        for (var seen = health.Changed.Version; health.Snapshot.Overall != HealthLevel.Degraded; seen = health.Changed.Version)
            await health.Changed.WaitAsync(seen, patience.Token);

        Assert.That(health.Snapshot.Overall, Is.EqualTo(HealthLevel.Degraded));
        Assert.That(registry.RoleOf(ResourceId.ControlPlane).IsLeader, Is.False);
        await stop.CancelAsync();
        Assert.That(async () => await running.WaitAsync(Limit), Throws.InstanceOf<OperationCanceledException>());
    }

    private FileElector Elector(TempFolder folder, HealthTracker? health = null) => new(
        Options.Create(new LeadershipOptions { Mode = LeadershipMode.File, File = folder.File("roles.json") }),
        health ?? new HealthTracker(TimeProvider.System, NullLogger<HealthTracker>.Instance), TimeProvider.System, _log.For<FileElector>());

    private static async Task WriteAsync(TempFolder folder, string content)
    {
        await File.WriteAllTextAsync(folder.File("roles.tmp"), content);
        File.Move(folder.File("roles.tmp"), folder.File("roles.json"), overwrite: true);
    }

    private static async Task UntilAsync(LeadershipRegistry registry, Func<LeadershipRegistry, bool> holds)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var seen = registry.Changed.Version;
            if (holds(registry)) return;
            await registry.Changed.WaitAsync(seen, limit.Token);
        }
    }
}
