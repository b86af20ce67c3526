using Piccolo.Core.Apps;
using Piccolo.Core.Leadership;

namespace Piccolo.Tests.Core.Apps;

/// <summary>When apps may run at all: role, lock, and the end of the daemon.</summary>
internal sealed class AppSupervisorRoleTests : AppSupervisorFixture
{
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
    public async Task RoleUnknown_InstalledApp_WaitsUntilTheElectorSpeaks()
    {
        await using var rig = new AppRig(Role.Unknown);
        rig.Runtime.AddImage(Sample);
        rig.Install(AppRig.Manifest("web"));
        await rig.StartAsync();
        await rig.UntilAsync("web", AppState.Stopped, AppReason.RoleUnknown);
        Assert.That(rig.Runtime.Calls, Is.Empty);

        rig.Follow();
        await rig.UntilAsync("web", AppState.Running);
    }

    [Test]
    public async Task RoleFollower_WhilePulling_BreaksThePullOff()
    {
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Installing);

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
}
