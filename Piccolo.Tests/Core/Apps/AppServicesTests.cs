using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Apps;

/// <summary>Apps of several services: order and health.</summary>
internal sealed class AppServicesTests : NotesFixture
{
    private static readonly ContainerFault NoSuchImage = new(ContainerFaultKind.ImageNotFound, "Not there.", "Look.");

    [Test]
    public async Task Install_ServiceThatWaitsForHealth_StartsOnlyWhenTheOtherIsHealthy()
    {
        _rig.Runtime.ExecCodes["db"] = 1;
        _rig.Install(Notes());
        await _rig.StartAsync();
        var waiting = await _rig.UntilAsync("notes", AppState.Starting, s => s.Services is [_, { Detail.Length: > 0, State: AppState.Starting }]);
        Assert.That(waiting.Services.Select(s => (s.Name, s.State)), Is.EqualTo(new[] { ("db", AppState.Starting), ("web", AppState.Starting) }));
        Assert.That(waiting.Services[1].Detail, Is.EqualTo("It waits for 'db' to be healthy."));
        Assert.That(_rig.Runtime.Calls, Has.None.EqualTo("create notes.web"));

        _rig.Runtime.ExecCodes["db"] = 0;
        _rig.Time.Advance(TimeSpan.FromSeconds(1));
        await _rig.UntilAsync("notes", AppState.Running);

        Assert.That(
            _rig.Runtime.Calls.Where(c => !c.StartsWith("pull", StringComparison.Ordinal) && !c.StartsWith("exec", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "create notes.db", "start notes.db", "create notes.web", "start notes.web" }));
    }

    [Test]
    public async Task Install_ImageOfTheLastServiceMissing_StartsNothing()
    {
        _rig.Runtime.AddImage("localhost/db:1");
        _rig.Runtime.Faults["pull"] = NoSuchImage;
        _rig.Install(Notes());
        await _rig.StartAsync();

        var status = await _rig.UntilAsync("notes", AppState.Failed, AppReason.ImageNotFound);

        Assert.That(status.Detail, Is.EqualTo("web: Not there. Look."));
        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("create"));
    }

    [Test]
    public async Task Running_CheckThatFailsAfterwards_IsUnhealthyWithTheServicesNameAndRecovers()
    {
        await RunNotesAsync();

        _rig.Runtime.ExecCodes["db"] = 2;
        for (var n = 0; n < 3; n++) await PassAnIntervalAsync();
        var status = await _rig.UntilAsync("notes", AppState.Unhealthy, AppReason.Unhealthy);
        Assert.That(status.Detail, Is.EqualTo("db: Its health command exited with code 2."));
        Assert.That(status.Services.Single(s => s.Name == "web").State, Is.EqualTo(AppState.Running), "it runs, whatever it waited for once");

        _rig.Runtime.ExecCodes["db"] = 0;
        await PassAnIntervalAsync();
        await _rig.UntilAsync("notes", AppState.Running);

        async Task PassAnIntervalAsync()
        {
            var asked = Asked();
            _rig.Time.Advance(TimeSpan.FromSeconds(31));
            _rig.Runtime.Changed.Raise();
            await AppRig.UntilAsync(_rig.Runtime.Called, () => Asked() > asked, () => "nobody asked again");
        }

        int Asked() => _rig.Runtime.Calls.Count(c => c == "exec notes.db ready");
    }

    [Test]
    public async Task Stop_Services_StopInReverseAndThenTheVolumesClose()
    {
        await RunNotesAsync();

        _rig.Catalog.SetDesired("notes", DesiredState.Stopped);
        await _rig.UntilAsync("notes", AppState.Stopped, AppReason.Owner);

        Assert.That(_rig.Runtime.Calls.TakeLast(2), Is.EqualTo(new[] { "stop notes.web", "stop notes.db" }));
        Assert.That(_rig.Volumes.Calls.Last(), Is.EqualTo("close notes"));
        Assert.That(_rig.Volumes.Mounted(), Is.Empty);
    }

    [Test]
    public async Task Update_ServiceThatTheManifestDropped_GoesWithItsContainer()
    {
        await RunNotesAsync();
        var notes = Notes();

        _rig.Install(notes with { Services = [notes.Services[0] with { DependsOn = notes.Services[0].DependsOn.Clear() }] });
        await _rig.UntilAsync("notes", AppState.Running, s => s.IsSettled && s.Services.Length == 1);

        Assert.That(_rig.Runtime.Calls, Does.Contain("remove notes.db"));
        Assert.That(_rig.Runtime.Containers.Select(c => c.Service), Is.EquivalentTo(new[] { "web" }));
    }

    [Test]
    public async Task RunOnce_ServiceThatCompletes_LetsTheOthersStartAndDoesNotRunAgain()
    {
        _rig.Runtime.ExitsAtOnce["notes.migrate"] = 0;
        _rig.Install(WithMigration());
        await _rig.StartAsync();

        var status = await _rig.UntilAsync("notes", AppState.Running);
        _rig.PassAMinute();
        _rig.PassAMinute();

        Assert.That(status.Services.Single(s => s.Name == "migrate"), Has.Property(nameof(ServiceStatus.ExitCode)).Zero);
        Assert.That(_rig.Runtime.Calls.Count(c => c == "start notes.migrate"), Is.EqualTo(1));
    }

    [Test]
    public async Task RunOnce_ServiceThatFails_IsNamedAndHoldsBackTheOthers()
    {
        _rig.Runtime.ExitsAtOnce["notes.migrate"] = 4;
        _rig.Install(WithMigration());
        await _rig.StartAsync();

        var status = await _rig.UntilAsync("notes", AppState.Failed, AppReason.Exited);

        Assert.That(status.Detail, Is.EqualTo("The service 'migrate' exited with code 4. See its log."));
        Assert.That(_rig.Runtime.Calls, Has.None.EqualTo("create notes.web"));
    }

    [Test]
    public async Task Row_OfSchema1_IsReadAsAnAppOfOneService()
    {
        _rig.Store.Commit(t => t.Put(
            new Piccolo.Core.ControlStore.StoreCollection<System.Text.Json.Nodes.JsonObject>("apps"), "old",
            System.Text.Json.Nodes.JsonNode.Parse($$$"""
                {"name":"old","manifest_text":{{{System.Text.Json.JsonSerializer.Serialize(AppRig.Manifest("old"))}}},
                 "manifest":{"name":"old","type":"user","image":"localhost/sample:latest","listeners":[],"environment":{}},
                 "ports":[{"listener":"old","guard_port":15007,"public_port":35007}],"desired_state":"running",
                 "created_at":"2026-11-01T00:00:00+00:00","updated_at":"2026-11-01T00:00:00+00:00"}
                """)!.AsObject()));
        await _rig.StartAsync();

        await _rig.UntilAsync("old", AppState.Running);

        Assert.That(_rig.Catalog.Find("old")!.Manifest.Services.Select(s => s.Name), Is.EqualTo(new[] { "main" }));
        Assert.That(_rig.Catalog.Find("old")!.Listeners.Single().GuardPort, Is.EqualTo(15007));
    }

    private static AppManifest WithMigration()
    {
        var notes = Notes();
        return notes with
        {
            Services =
            [
                notes.Services[0] with { DependsOn = notes.Services[0].DependsOn.Add("migrate", DependencyCondition.Completed) },
                notes.Services[1],
                new ServiceManifest("migrate", "localhost/web:1") { Run = RunMode.Once, DependsOn = On("db", DependencyCondition.Started) },
            ],
        };
    }
}
