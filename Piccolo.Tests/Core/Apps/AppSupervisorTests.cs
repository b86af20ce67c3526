using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps;

internal sealed class AppSupervisorTests : AppSupervisorFixture
{
    [Test]
    public async Task Install_ImageMissing_PullsCreatesStartsAndOnlyThenSaysRunning()
    {
        var pull = new TaskCompletionSource();
        _rig.Runtime.PullGate = pull.Task;
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();

        await _rig.UntilAsync("web", AppState.Installing);
        pull.SetResult();
        var status = await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls, Is.EqualTo(new[] { $"pull {Sample}", "create web", "start web" }));
        Assert.That(status.ContainerId, Is.EqualTo(_rig.Runtime.Containers.Single().Id));
        Assert.That(_rig.Health.Snapshot.Reported[HealthComponents.Containers].Level, Is.EqualTo(HealthLevel.Ok));
    }

    [Test]
    public async Task EngineAway_RunningApp_IsNotCalledRunningAndRecovers()
    {
        await RunWebAsync();

        _rig.Runtime.EngineFault = RecordingContainerRuntime.Unreachable;
        _rig.Runtime.Changed.Raise();
        var status = await _rig.UntilAsync("web", AppState.Failed, AppReason.EngineUnreachable);
        var health = _rig.Health.Snapshot.Reported[HealthComponents.Containers];
        Assert.That((health.Level, health.Message), Is.EqualTo((HealthLevel.Degraded, "The container engine does not answer. Start it.")));
        Assert.That(status.NextAttempt, Is.GreaterThan(_rig.Time.GetUtcNow()));

        _rig.Runtime.EngineFault = null;
        _rig.Time.Advance(TimeSpan.FromSeconds(30));
        await _rig.UntilAsync("web", AppState.Running);
        Assert.That(_rig.Health.Snapshot.Reported[HealthComponents.Containers].Level, Is.EqualTo(HealthLevel.Ok));
        Assert.That(_rig.Health.Snapshot.Ready, Is.True);
    }

    [Test]
    public async Task AppEnds_ByItself_IsShownAndTriedAgainWithGrowingPauses()
    {
        await RunWebAsync();

        _rig.Runtime.ExitAtOnce = 3;
        _rig.Runtime.Exit("web", 3);
        var first = await _rig.UntilAsync("web", AppState.Failed, AppReason.Exited);
        Assert.That(first.Detail, Does.Contain("code 3"));

        for (var pause = 1; pause <= 8; pause *= 2)
        {
            Assert.That(_rig.Board.Find("web")!.NextAttempt!.Value - _rig.Time.GetUtcNow(), Is.EqualTo(TimeSpan.FromSeconds(pause)));
            await AttemptAsync(_rig);
        }
        Assert.That(_rig.Runtime.Calls.Count(c => c == "start web"), Is.EqualTo(1 + 4));

        _rig.Runtime.ExitAtOnce = null;
        await AttemptAsync(_rig);
        Assert.That(_rig.Board.Find("web")!.State, Is.EqualTo(AppState.Running));
    }

    [Test]
    public async Task Start_SaidAgainByTheOwner_DoesNotWaitForTheNextAttempt()
    {
        _rig.Runtime.Faults["pull"] = new ContainerFault(ContainerFaultKind.ImageNotFound, "Not there.", "Look.");
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        var status = await _rig.UntilAsync("web", AppState.Failed, AppReason.ImageNotFound);
        Assert.That(status.Detail, Is.EqualTo("Not there. Look."));

        _rig.Runtime.Faults.Clear();
        _rig.Catalog.SetDesired("web", DesiredState.Running);
        await _rig.UntilAsync("web", AppState.Running);
    }

    [Test]
    public async Task SetDesired_StoppedThenRunning_StopsAndStarts()
    {
        await RunWebAsync();

        _rig.Catalog.SetDesired("web", DesiredState.Stopped);
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Owner);
        Assert.That(_rig.Log.Of(5002), Has.Count.EqualTo(1));

        _rig.Catalog.SetDesired("web", DesiredState.Running);
        await _rig.UntilAsync("web", AppState.Running);
    }

    [Test]
    public async Task Update_OtherImage_ReplacesTheContainerOnlyWhenTheImageIsHere()
    {
        await RunWebAsync();
        var before = _rig.Runtime.Containers.Single();

        _rig.Runtime.Faults["pull"] = new ContainerFault(ContainerFaultKind.ImageNotFound, "Not there.", "Look.");
        _rig.Install(AppRig.Manifest("web", "localhost/other:2"));
        await _rig.UntilAsync("web", AppState.Failed, AppReason.ImageNotFound);
        Assert.That(_rig.Runtime.Containers.Single(), Is.EqualTo(before), "the old container still runs");

        _rig.Runtime.Faults.Clear();
        _rig.Time.Advance(TimeSpan.FromMinutes(1));
        await _rig.UntilAsync("web", AppState.Running);
        Assert.That(_rig.Runtime.Containers.Single().SpecHash, Is.Not.EqualTo(before.SpecHash));
        Assert.That(_rig.Runtime.Calls.TakeLast(5), Is.EqualTo(new[] { "pull localhost/other:2", "stop web", "remove web", "create web", "start web" }));
    }

    [Test]
    public async Task Remove_RunningApp_RemovesContainerAndStatus()
    {
        await RunWebAsync();

        _rig.Catalog.Remove("web");
        await AppRig.UntilAsync(_rig.Board.Changed, () => _rig.Board.Find("web") is null, () => "the status stays");

        Assert.That(_rig.Runtime.Containers, Is.Empty);
        Assert.That(_rig.Runtime.Calls.TakeLast(2), Is.EqualTo(new[] { "stop web", "remove-with-volumes web" }));
    }

    [Test]
    public async Task Containers_OfNoAppOrStrangeName_AreRemoved()
    {
        _rig.Runtime.AddRunning(_rig.Instance, "ghost");
        _rig.Runtime.AddRunning(_rig.Instance, "web", name: ContainerSpec.NameOf(_rig.Instance, "renamed"));
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));

        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Contains("remove ghost"), () => "ghost stays");

        Assert.That(_rig.Runtime.Containers.Select(c => c.Name).Where(n => n.EndsWith("renamed", StringComparison.Ordinal)), Is.Empty);
    }

    /// <summary>The sixth attempt again comes after pauses of 1, 2, 4, 8, 16 and 32 s, each drawn a little shorter.</summary>
    /// <param name="random">Gives pauses of 0.95 times that, and 59.85 s in all; or of 0.953 times, and 60.039 s.</param>
    [TestCase(0.375, false)]
    [TestCase(0.3825, true)]
    public async Task PortBusy_FromAMinuteOn_GetsAnotherGuardPort(double random, bool moves)
    {
        await using var rig = new AppRig { Random = random };
        rig.Runtime.AddImage(Sample);
        rig.Install(AppRig.Manifest("web"));
        var kept = rig.Catalog.Find("web")!.Ports.Single();
        rig.BusyPorts[kept.GuardPort] = true;
        rig.Runtime.Faults["start"] = new ContainerFault(ContainerFaultKind.PortInUse, "Busy.", "Wait.");
        await rig.StartAsync();
        await rig.UntilAsync("web", AppState.Failed, AppReason.PortInUse);
        for (var attempt = 1; attempt <= 5; attempt++) await AttemptAsync(rig);
        Assert.That(rig.Catalog.Find("web")!.Ports.Single(), Is.EqualTo(kept), "a busy port is waited for first");

        var due = rig.Board.Find("web")!.NextAttempt!.Value;
        await rig.Time.PassAsync(TimeSpan.FromSeconds(30));
        await rig.Time.PassAsync(due - rig.Time.GetUtcNow());
        await AppRig.UntilAsync(rig.Runtime.Called, () => rig.Runtime.Calls.Count(c => c == (moves ? "create web" : "start web")) == (moves ? 2 : 7),
            () => string.Join('\n', rig.Log.Lines));

        Assert.That(rig.Log.Of(5007), Has.Count.EqualTo(moves ? 1 : 0));
        Assert.That(rig.Catalog.Find("web")!.Ports.Single().GuardPort, Is.EqualTo(moves ? 15001 : kept.GuardPort));
        Assert.That(rig.Listeners.Current.Single().GuardPort, Is.EqualTo(moves ? 15001 : kept.GuardPort));
    }

    [Test]
    public async Task SlowPulls_OfManyApps_DoNotDelayAStop()
    {
        await RunWebAsync();
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        for (var i = 0; i < 6; i++) _rig.Install(AppRig.Manifest($"slow{i}", $"localhost/slow{i}:1"));
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Count(c => c.StartsWith("pull localhost/slow", StringComparison.Ordinal)) == 4,
            () => "four pulls at a time");

        _rig.Follow("web");
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Follower);
    }

    [Test]
    public async Task SilentRegistries_ManyOfThem_DelayNeitherAStartNorAPullFromAnother()
    {
        await RunWebAsync();
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        for (var i = 0; i < 12; i++) _rig.Install(AppRig.Manifest($"slow{i}", $"silent{i / 6}.example/slow{i}:1"));
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Count(c => c.StartsWith("pull silent", StringComparison.Ordinal)) == 8,
            () => "four pulls of each registry at a time");

        _rig.Runtime.Exit("web", 1);
        await _rig.UntilAsync("web", AppState.Failed, AppReason.Exited);
        _rig.PassAMinute();
        await _rig.UntilAsync("web", AppState.Running);
        _rig.Install(AppRig.Manifest("here", Sample));
        await _rig.UntilAsync("here", AppState.Running);
        _rig.Runtime.PullGate = Task.CompletedTask;
        _rig.Install(AppRig.Manifest("other", "registry.example/app:1"));
        await _rig.UntilAsync("other", AppState.Running);
    }

    [Test]
    public async Task RateLimit_OfTheRegistry_IsSaidAndNotAskedForAQuarterOfAnHour()
    {
        _rig.Runtime.Faults["pull"] = new ContainerFault(ContainerFaultKind.RateLimited, "Enough for now.", "Wait.");
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();

        var status = await _rig.UntilAsync("web", AppState.Failed, AppReason.RateLimited);

        Assert.That(status.NextAttempt, Is.EqualTo(_rig.Time.GetUtcNow().AddMinutes(15)));
    }

    [Test]
    public async Task RateLimit_OfARegistryThatNamesATime_IsWaitedForSoLong()
    {
        _rig.Runtime.Faults["pull"] = new ContainerFault(ContainerFaultKind.RateLimited, "Enough for now.", "Wait.") { RetryAfter = TimeSpan.FromMinutes(40) };
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();

        var status = await _rig.UntilAsync("web", AppState.Failed, AppReason.RateLimited);

        Assert.That(status.NextAttempt, Is.EqualTo(_rig.Time.GetUtcNow().AddMinutes(40)));
        Assert.That(status.Services.Single().NextAttempt, Is.EqualTo(status.NextAttempt));
    }

    [Test]
    public async Task Digest_OfTheImage_IsKeptUntilTheManifestNamesAnother()
    {
        _rig.Runtime.Images[Sample] = new ImageFacts("id", [], []) { Digest = "sha256:" + new string('a', 64) };
        await RunWebAsync();
        Assert.That(_rig.Catalog.Find("web")!.ImageDigests["main"], Is.EqualTo("sha256:" + new string('a', 64)));
        var told = _rig.Catalog.Find("web")!.UpdatedAt;

        _rig.Catalog.SetDesired("web", DesiredState.Stopped);
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Owner);
        Assert.That(_rig.Catalog.Find("web")!.ImageDigests, Has.Count.EqualTo(1), "also of an app that is stopped");
        Assert.That(told, Is.LessThan(_rig.Catalog.Find("web")!.UpdatedAt));
        _rig.Install(AppRig.Manifest("web", "localhost/other:2"));

        Assert.That(_rig.Catalog.Find("web")!.ImageDigests, Is.Empty);
    }

    /// <summary>Lets the clock come to the next attempt at starting the app: just before it nothing is tried, then it is.</summary>
    private static async Task AttemptAsync(AppRig rig)
    {
        var regular = TimeSpan.FromSeconds(30);
        var due = rig.Board.Find("web")!.NextAttempt!.Value;
        var tried = Starts();
        // The loop looks around regularly, without trying.
        for (; due - rig.Time.GetUtcNow() > regular; Assert.That(Starts(), Is.EqualTo(tried))) await rig.Time.PassAsync(regular);
        await rig.Time.ArmedAsync(due - rig.Time.GetUtcNow());
        Assert.That(Starts(), Is.EqualTo(tried));
        await rig.Time.PassAsync(due - rig.Time.GetUtcNow());
        await AppRig.UntilAsync(rig.Board.Changed,
            () => Starts() == tried + 1 && rig.Board.Find("web") is { } now && (now.State == AppState.Running || now.NextAttempt > due),
            () => $"{Starts() - tried} attempts at {due:O}; {rig.Board.Find("web")}; {string.Join('\n', rig.Log.Lines)}");

        int Starts() => rig.Runtime.Calls.Count(c => c == "start web");
    }
}
