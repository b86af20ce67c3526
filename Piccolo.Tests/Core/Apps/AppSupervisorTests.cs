using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps;

internal sealed class AppSupervisorTests
{
    private const string Sample = "localhost/sample:latest";

    private AppRig _rig;

    [SetUp]
    public void SetUp() => _rig = new AppRig();

    [TearDown]
    public async Task TearDown()
    {
        await _rig.DisposeAsync();
        Assert.That(_rig.Runtime.Overlaps, Is.Zero, "two operations of one app at a time");
    }

    [Test]
    public async Task Install_ImageMissing_PullsCreatesStartsAndOnlyThenSaysRunning()
    {
        var pull = new TaskCompletionSource();
        _rig.Runtime.PullGate = pull.Task;
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();

        await _rig.UntilAsync("web", AppState.Pulling);
        pull.SetResult();
        var status = await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls, Is.EqualTo(new[] { $"pull {Sample}", "create web", "start web" }));
        Assert.That(status.ContainerId, Is.EqualTo(_rig.Runtime.Containers.Single().Id));
        Assert.That(_rig.Health.Snapshot.Reported[HealthComponents.Containers].Level, Is.EqualTo(HealthLevel.Ok));
    }

    [Test]
    public async Task RoleFollower_RunningApp_IsStoppedLoggedAndShown()
    {
        await RunWebAsync();

        _rig.Follow("web");
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Follower);

        Assert.That(_rig.Runtime.Calls.Last(), Is.EqualTo("stop web"));
        Assert.That(_rig.Runtime.Containers.Single().IsRunning, Is.False);
        Assert.That(_rig.Log.Of(5001), Is.EqualTo(new[] { "App stopped because another node leads. resource=app:web role=follower app=web" }));
    }

    [Test]
    public async Task RoleFollower_SeveralRounds_LogsOnce()
    {
        await RunWebAsync();
        _rig.Follow("web");
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Follower);

        _rig.Follow("web", "other");
        _rig.Install(AppRig.Manifest("mail"));
        await _rig.UntilAsync("mail", AppState.Running);

        Assert.That(_rig.Log.Of(5001), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task RoleLeaderAgain_StoppedApp_IsStarted()
    {
        await RunWebAsync();
        _rig.Follow("web");
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Follower);

        _rig.Follow();
        await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls.TakeLast(2), Is.EqualTo(new[] { "stop web", "start web" }));
    }

    [Test]
    public async Task RoleFollower_WhilePulling_BreaksThePullOff()
    {
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Pulling);

        _rig.Follow("web");
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Follower);

        Assert.That(_rig.Runtime.Containers, Is.Empty);
        Assert.That(_rig.Log.Of(5001), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Lock_SeveralApps_StopsAllAndUnlockStartsThemAgain()
    {
        _rig.Runtime.AddImage(Sample);
        string[] apps = ["a", "b", "c", "d", "e", "f"];
        foreach (var app in apps) _rig.Install(AppRig.Manifest(app));
        await _rig.StartAsync();
        foreach (var app in apps) await _rig.UntilAsync(app, AppState.Running);

        _rig.Lock();
        foreach (var app in apps) await _rig.UntilAsync(app, AppState.Stopped, AppReason.Locked);
        Assert.That(_rig.Runtime.Containers.Where(c => c.IsRunning), Is.Empty);

        _rig.Unlock();
        foreach (var app in apps) await _rig.UntilAsync(app, AppState.Running);
    }

    [Test]
    public async Task Start_LockedAfterACrash_StopsWhatStillRuns()
    {
        _rig.Lock();
        _rig.Runtime.AddRunning(_rig.Instance, "web");

        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Locked);

        Assert.That(_rig.Runtime.Calls, Is.EqualTo(new[] { "stop web" }));
    }

    [Test]
    public async Task EngineAway_RunningApp_IsNotCalledRunningAndRecovers()
    {
        await RunWebAsync();

        _rig.Runtime.EngineFault = RecordingContainerRuntime.Unreachable;
        _rig.Runtime.Changed.Raise();
        var status = await _rig.UntilAsync("web", AppState.Error, AppReason.EngineUnreachable);
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
        var first = await _rig.UntilAsync("web", AppState.Error, AppReason.Exited);
        Assert.That(first.Detail, Does.Contain("code 3"));

        var pause = TimeSpan.Zero;
        for (var attempt = 2; attempt <= 5; attempt++)
        {
            var due = _rig.Board.Find("web")!.NextAttempt!.Value;
            Assert.That(due - _rig.Time.GetUtcNow(), Is.GreaterThan(pause));
            pause = due - _rig.Time.GetUtcNow();
            await AdvanceUntilAsync(pause, () => _rig.Log.Of(5004).Count == attempt);
        }
        Assert.That(_rig.Runtime.Calls.Count(c => c == "start web"), Is.EqualTo(1 + 4));

        _rig.Runtime.ExitAtOnce = null;
        await AdvanceUntilAsync(TimeSpan.FromMinutes(1), () => _rig.Board.Find("web")!.State == AppState.Running);
    }

    [Test]
    public async Task Start_SaidAgainByTheOwner_DoesNotWaitForTheNextAttempt()
    {
        _rig.Runtime.Faults["pull"] = new ContainerFault(ContainerFaultKind.ImageNotFound, "Not there.", "Look.");
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        var status = await _rig.UntilAsync("web", AppState.Error, AppReason.ImageNotFound);
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
        await _rig.UntilAsync("web", AppState.Error, AppReason.ImageNotFound);
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
        Assert.That(_rig.Runtime.Calls.TakeLast(2), Is.EqualTo(new[] { "stop web", "remove web" }));
    }

    [Test]
    public async Task Containers_OfNoAppOrStrangeName_AreRemoved()
    {
        _rig.Runtime.AddRunning(_rig.Instance, "ghost");
        _rig.Runtime.AddRunning(_rig.Instance, "web", name: "renamed");
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));

        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Contains("remove ghost"), () => "ghost stays");

        Assert.That(_rig.Runtime.Containers.Select(c => c.Name).Where(n => n == "renamed"), Is.Empty);
    }

    [Test]
    public async Task PortBusy_ForAMinute_GetsAnotherGuardPort()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        var kept = _rig.Catalog.Find("web")!.Ports.Single();
        _rig.BusyPorts[kept.GuardPort] = true;
        _rig.Runtime.Faults["start"] = new ContainerFault(ContainerFaultKind.PortInUse, "Busy.", "Wait.");
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Error, AppReason.PortInUse);
        Assert.That(_rig.Catalog.Find("web")!.Ports.Single(), Is.EqualTo(kept), "a busy port is waited for first");

        await AdvanceUntilAsync(TimeSpan.FromSeconds(35), () => _rig.Log.Of(5007).Count > 0);
        _rig.Runtime.Faults.Clear();
        await AdvanceUntilAsync(TimeSpan.FromSeconds(35), () => _rig.Board.Find("web")!.State == AppState.Running);

        Assert.That(_rig.Catalog.Find("web")!.Ports.Single(), Is.EqualTo(kept with { GuardPort = 15001 }));
        Assert.That(_rig.Listeners.Current.Single().GuardPort, Is.EqualTo(15001));
    }

    [Test]
    public async Task SlowPulls_OfManyApps_DoNotDelayAStop()
    {
        await RunWebAsync();
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        for (var i = 0; i < 6; i++) _rig.Install(AppRig.Manifest($"slow{i}", $"localhost/slow{i}:1"));
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Count(c => c.StartsWith("pull localhost/slow", StringComparison.Ordinal)) == 4, () => "four pulls at a time");

        _rig.Follow("web");
        await _rig.UntilAsync("web", AppState.Stopped, AppReason.Follower);
    }

    [Test]
    public async Task ShutDown_RunningApps_AreStopped()
    {
        await RunWebAsync();

        await _rig.StopAsync();

        Assert.That(_rig.Runtime.Containers.Single().IsRunning, Is.False);
        Assert.That(_rig.Board.Find("web"), Has.Property(nameof(AppStatus.Reason)).EqualTo(AppReason.Shutdown));
    }

    [Test]
    public async Task ShutDown_StopThatHangs_IsBounded()
    {
        await RunWebAsync();
        _rig.Runtime.StopGate = new TaskCompletionSource().Task;

        var stopping = _rig.StopAsync();
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Last() == "stop web", () => "no stop was asked");
        _rig.Time.Advance(TimeSpan.FromSeconds(8));
        await stopping.WaitAsync(AppRig.Patience);

        Assert.That(_rig.Log.Of(5008), Has.Count.EqualTo(1));
        Assert.That(_rig.Board.Find("web")!.State, Is.EqualTo(AppState.Running), "nothing is claimed that was not seen");
    }

    private async Task RunWebAsync()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
    }

    /// <summary>Moves the clock in steps until the loop, which sets its timers in its own time, has seen enough of it.</summary>
    private async Task AdvanceUntilAsync(TimeSpan step, Func<bool> condition)
    {
        for (var i = 0; i < 200 && !condition(); i++)
        {
            _rig.Time.Advance(i == 0 ? step : TimeSpan.FromSeconds(1));
            var seen = _rig.Log.Written.Version;
            if (condition()) return;
            using var moment = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            await _rig.Log.Written.WaitAsync(seen, moment.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Assert.That(condition(), Is.True, string.Join('\n', _rig.Log.Lines));
    }
}
