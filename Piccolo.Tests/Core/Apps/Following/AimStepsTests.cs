using System.Collections.Immutable;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Following;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Jobs;

namespace Piccolo.Tests.Core.Apps.Following;

internal sealed class AimStepsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void Start_NothingSeenYet_ListsWhatIsToCome() =>
        Assert.That(Steps(null), Is.EqualTo("Fetch images:Waiting, Open volumes:Waiting, Start web:Waiting, Start db:Waiting, Wait for db:Waiting"));

    [TestCase(AppPhase.FetchImages, AppState.Installing, "Fetch images:Running, Open volumes:Waiting")]
    [TestCase(AppPhase.FetchImages, AppState.Failed, "Fetch images:Failed, Open volumes:Waiting")]
    [TestCase(AppPhase.OpenVolumes, AppState.Starting, "Fetch images:Done, Open volumes:Running")]
    [TestCase(AppPhase.OpenVolumes, AppState.Failed, "Fetch images:Done, Open volumes:Failed")]
    [TestCase(AppPhase.StartServices, AppState.Starting, "Fetch images:Done, Open volumes:Done")]
    public void Start_Phases_AreSteps(object phase, AppState state, string begin) =>
        Assert.That(Steps(Status((AppPhase)phase, state)), Does.StartWith(begin));

    [Test]
    public void Start_Services_StandInTheOrderOfTheirStart()
    {
        var waiting = new ServiceStatus("web", AppState.Starting, "It waits for 'db' to be healthy.", "old", null) { IsWaiting = true };
        var db = new ServiceStatus("db", AppState.Starting, "", null, null) { HasCheck = true };
        var status = Status(AppPhase.StartServices, AppState.Starting);

        Assert.That(Steps(status with { Services = [db, waiting] }), Does.EndWith("Start db:Running, Wait for db:Waiting, Start web:Waiting"));
        db = db with { HasStarted = true };
        Assert.That(Steps(status with { Services = [db, waiting] }), Does.EndWith("Start db:Done, Wait for db:Running, Start web:Waiting"));
        Assert.That(Steps(status with { Services = [db with { State = AppState.Unhealthy }, waiting] }), Does.Contain("Start db:Done, Wait for db:Failed"));
        var failed = waiting with { State = AppState.Failed, IsWaiting = false };
        Assert.That(Steps(status with { Services = [db with { State = AppState.Running }, failed] }),
            Does.EndWith("Start db:Done, Wait for db:Done, Start web:Failed"));
    }

    [Test]
    public void Start_OldContainersWhileImagesAreFetched_AreNoStepsThatAreDone()
    {
        var old = new ServiceStatus("db", AppState.Running, "", "old", null) { HasStarted = true };

        Assert.That(Steps(Status(AppPhase.FetchImages, AppState.Updating) with { Services = [old] }), Does.Contain("Start db:Waiting"));
    }

    [Test]
    public void Since_OfAStepThatStays_Stays()
    {
        var first = AimSteps.Of(new AppAim.Start(App()), App(), Status(AppPhase.FetchImages, AppState.Installing), [], Now);
        var same = AimSteps.Of(new AppAim.Start(App()), App(), Status(AppPhase.FetchImages, AppState.Installing), first, Now.AddMinutes(1));
        var next = AimSteps.Of(new AppAim.Start(App()), App(), Status(AppPhase.OpenVolumes, AppState.Starting), first, Now.AddMinutes(1));

        Assert.That(same, Is.EqualTo(first));
        Assert.That(next.Select(s => s.Since - Now), Is.EqualTo(new[] { 1, 1, 0, 0, 0 }.Select(m => TimeSpan.FromMinutes(m))));
        var done = AimSteps.Done(next, Now.AddMinutes(2));
        Assert.That(done.Select(s => (s.State, (s.Since - Now).Minutes)),
            Is.EqualTo(new[] { (StepState.Done, 1), (StepState.Done, 2), (StepState.Done, 2), (StepState.Done, 2), (StepState.Done, 2) }));
    }

    [TestCase(false, "Stop services:Done, Remove containers:Running, Close volumes:Waiting")]
    [TestCase(true, "Stop services:Done, Remove containers:Running, Delete volumes:Waiting")]
    public void Removal_HasStepsOfItsOwn(bool purge, string steps)
    {
        var aim = new AppAim.Remove(new AppRemoval("web", Now, purge));

        Assert.That(Text(AimSteps.Of(aim, null, Status(AppPhase.RemoveContainers, AppState.Removing), [], Now)), Is.EqualTo(steps));
        Assert.That(Text(AimSteps.Of(aim, App(), null, [], Now)), Does.Not.Contain("Fetch"), "the app that was installed again is another matter");
    }

    [Test]
    public void Stop_HasStepsOfItsOwn()
    {
        var stopped = App() with { DesiredState = DesiredState.Stopped };

        Assert.That(Text(AimSteps.Of(new AppAim.Stop(stopped), stopped, Status(AppPhase.CloseVolumes, AppState.Running), [], Now)),
            Is.EqualTo("Stop services:Done, Close volumes:Running"));
    }

    private static string Steps(AppStatus? status) => Text(AimSteps.Of(new AppAim.Start(App()), App(), status, [], Now));

    private static string Text(ImmutableArray<JobStep> steps) => string.Join(", ", steps.Select(s => $"{s.Name}:{s.State}"));

    private static AppRecord App() => new("web", "text", Manifest(), [], DesiredState.Running, Now, Now);

    private static AppManifest Manifest() => new(
        "web", AppType.User,
        [
            new ServiceManifest("web", "localhost/web:1"),
            new ServiceManifest("db", "localhost/db:1") { HealthCheck = new HealthCheckDefinition { Command = ["ready"] } },
        ], [])
    {
        Volumes = ImmutableSortedDictionary<string, VolumeDefinition>.Empty.Add("db", new VolumeDefinition(VolumeKind.Data, null)),
    };

    private static AppStatus Status(AppPhase phase, AppState state) =>
        new(state, AppReason.None, "", Now, null, null) { Revision = Now, IsSettled = true, Phase = phase };
}
