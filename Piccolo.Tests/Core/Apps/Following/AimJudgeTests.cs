using System.Collections.Immutable;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Following;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Tests.Core.Apps.Following;

internal sealed class AimJudgeTests
{
    private static readonly DateTimeOffset Before = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = Before.AddMinutes(1);
    private static readonly DateTimeOffset Later = Now.AddMinutes(1);

    [TestCase(AppState.Running, AppReason.None, "Reached")]
    [TestCase(AppState.Starting, AppReason.None, "GoesOn")]
    [TestCase(AppState.Installing, AppReason.None, "GoesOn")]
    [TestCase(AppState.Updating, AppReason.None, "GoesOn")]
    [TestCase(AppState.Unhealthy, AppReason.Unhealthy, "Failed")]
    [TestCase(AppState.Stopped, AppReason.Follower, "Lost")]
    [TestCase(AppState.Stopped, AppReason.SecretMissing, "Failed")]
    [TestCase(AppState.Stopped, AppReason.RoleUnknown, "GoesOn")]
    [TestCase(AppState.Failed, AppReason.ImageNotFound, "Failed")]
    [TestCase(AppState.Failed, AppReason.SignInNeeded, "Failed")]
    [TestCase(AppState.Failed, AppReason.NoPlatform, "Failed")]
    [TestCase(AppState.Failed, AppReason.RegistryUnreachable, "GoesOn")]
    [TestCase(AppState.Failed, AppReason.RateLimited, "GoesOn")]
    [TestCase(AppState.Failed, AppReason.Exited, "GoesOn")]
    [TestCase(AppState.Failed, AppReason.NoSpace, "GoesOn")]
    public void Start_WhatIsSeen_Decides(AppState state, AppReason reason, string outcome) =>
        Assert.That(NameOf(new AppAim.Start(App()), App(), Status(state, reason)), Is.EqualTo(outcome));

    [TestCase(AppReason.Exited, AimJudge.Attempts - 1, "GoesOn")]
    [TestCase(AppReason.Exited, AimJudge.Attempts, "Failed")]
    [TestCase(AppReason.PortInUse, AimJudge.Attempts, "GoesOn")]
    [TestCase(AppReason.PortInUse, AimJudge.AttemptsAtAPort, "Failed")]
    public void Failures_OfAReasonThatMayPass_AreEnoughAtSomeTime(AppReason reason, int failures, string outcome) =>
        Assert.That(NameOf(new AppAim.Start(App()), App(), Status(AppState.Failed, reason) with { Failures = failures }), Is.EqualTo(outcome));

    [TestCase(AppState.Running)]
    [TestCase(AppState.Failed)]
    public void Status_OfAnEarlierWord_SaysNothing(AppState state)
    {
        var status = Status(state, state == AppState.Failed ? AppReason.ImageNotFound : AppReason.None);

        Assert.That(NameOf(new AppAim.Start(App()), App(), status with { Revision = Before }), Is.EqualTo("GoesOn"));
        Assert.That(NameOf(new AppAim.Start(App()), App(), status with { IsSettled = false }), Is.EqualTo("GoesOn"));
        Assert.That(NameOf(new AppAim.Start(App()), App(), null), Is.EqualTo("GoesOn"));
    }

    [Test]
    public void Status_OfALaterWordThatWantsTheSame_Counts() => Assert.That(
        NameOf(new AppAim.Start(App()), App() with { UpdatedAt = Later }, Status(AppState.Running) with { Revision = Later }), Is.EqualTo("Reached"));

    [Test]
    public void Command_ThatALaterOneContradicts_IsLost()
    {
        Assert.That(NameOf(new AppAim.Start(App()), App() with { DesiredState = DesiredState.Stopped }, Status(AppState.Running)), Is.EqualTo("Lost"));
        Assert.That(NameOf(new AppAim.Start(App()), null, null), Is.EqualTo("Lost"));
        Assert.That(NameOf(new AppAim.Stop(App()), App(), Status(AppState.Running)), Is.EqualTo("Lost"));
        Assert.That(NameOf(new AppAim.Install(App(), null, true), App() with { ManifestText = "other" }, Status(AppState.Running)), Is.EqualTo("Lost"));
    }

    [TestCase(AppState.Stopped, AppReason.Owner, "Reached")]
    [TestCase(AppState.Stopped, AppReason.Follower, "GoesOn")]
    [TestCase(AppState.Running, AppReason.None, "GoesOn")]
    public void Stop_WhatIsSeen_Decides(AppState state, AppReason reason, string outcome)
    {
        var stopped = App() with { DesiredState = DesiredState.Stopped };

        Assert.That(NameOf(new AppAim.Stop(stopped), stopped, Status(state, reason)), Is.EqualTo(outcome));
    }

    [Test]
    public void Install_OfAStoppedApp_IsReachedWhenItIsSeenStopped()
    {
        var stopped = App() with { DesiredState = DesiredState.Stopped };

        Assert.That(NameOf(new AppAim.Install(stopped, null, false), stopped, Status(AppState.Stopped, AppReason.Owner)), Is.EqualTo("Reached"));
    }

    [Test]
    public void Removal_IsReachedWhenNoneWaits()
    {
        var removal = new AppRemoval("web", Now);
        var aim = new AppAim.Remove(removal);

        Assert.That(NameOf(aim, null, null, removal), Is.EqualTo("GoesOn"));
        Assert.That(NameOf(aim, null, null), Is.EqualTo("Reached"));
        Assert.That(NameOf(aim, App(), Status(AppState.Running)), Is.EqualTo("Reached"), "it was installed again");
        Assert.That(NameOf(aim, null, null, removal with { RemovedAt = Later }), Is.EqualTo("Lost"));
        Assert.That(NameOf(aim, null, Status(AppState.Failed, AppReason.Refused) with { Failures = AimJudge.Attempts }, removal), Is.EqualTo("Failed"));
    }

    private static string NameOf(AppAim aim, AppRecord? app, AppStatus? status, AppRemoval? removal = null) =>
        AimJudge.Judge(aim, app, removal, status).GetType().Name;

    private static AppRecord App() => new(
        "web", "text", new AppManifest("web", AppType.User, [new ServiceManifest("main", "localhost/web:1")], []), [], DesiredState.Running, Before, Now);

    private static AppStatus Status(AppState state, AppReason reason = AppReason.None) =>
        new(state, reason, "Said.", Now, null, null) { Revision = Now, IsSettled = true, Services = ImmutableArray<ServiceStatus>.Empty };
}
