using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;
using Piccolo.Core.Exports;
using Piccolo.Core.Volumes;

namespace Piccolo.Tests.Core.Apps;

/// <summary>An app stands still while its volumes are copied, and runs again afterwards, however the copy ends.</summary>
internal sealed class AppExportTests : NotesFixture
{
    private static readonly ContainerFault Away = new(ContainerFaultKind.EngineUnreachable, "The engine is away.", "Look.");

    [Test]
    public async Task Hold_RunningApp_IsStoppedWithItsVolumesClosedAndGoesOnAfterwards()
    {
        await RunNotesAsync();

        using (await HoldAsync())
        {
            Assert.That(_rig.Runtime.Containers.Where(c => c.IsRunning), Is.Empty);
            Assert.That(_rig.Volumes.Mounted(), Is.Empty);
            var status = _rig.Board.Find("notes")!;
            Assert.That((status.State, status.Reason), Is.EqualTo((AppState.Stopped, AppReason.Export)));
            Assert.That(_rig.Catalog.Find("notes")!.DesiredState, Is.EqualTo(DesiredState.Running), "the owner's wish stays");
        }

        await _rig.UntilAsync("notes", AppState.Running);
        Assert.That(_rig.Volumes.Calls.SkipWhile(c => c != "close notes").Take(4),
            Is.EqualTo(new[] { "close notes", "rest notes", "rest over notes", "open notes" }));
    }

    [Test]
    public async Task Hold_AgainAndAgain_EachStopsTheAppAnew()
    {
        await RunNotesAsync();
        for (var i = 0; i < 3; i++)
        {
            using (await HoldAsync()) Assert.That(_rig.Volumes.Mounted(), Is.Empty, $"round {i}");
            await _rig.UntilAsync("notes", AppState.Running);
        }
        Assert.That(_rig.Runtime.Calls.Count(c => c == "start notes.db"), Is.EqualTo(4));
    }

    [Test]
    public async Task Hold_AppThatItsOwnerStartsMeanwhile_StartsAfterwards()
    {
        await RunNotesAsync();
        _rig.Catalog.SetDesired("notes", DesiredState.Stopped);
        await _rig.UntilAsync("notes", AppState.Stopped, AppReason.Owner);
        var starts = _rig.Runtime.Calls.Count(c => c.StartsWith("start", StringComparison.Ordinal));

        using (await HoldAsync())
        {
            _rig.Catalog.SetDesired("notes", DesiredState.Running);
            // A second app that starts shows that the supervisor has been round.
            _rig.Install(AppRig.Manifest("other"));
            await _rig.UntilAsync("other", AppState.Running);
            Assert.That(_rig.Runtime.Calls.Where(c => c.StartsWith("start notes", StringComparison.Ordinal)).Count(), Is.EqualTo(starts));
            Assert.That(_rig.Volumes.Mounted(), Is.Empty);
        }

        await _rig.UntilAsync("notes", AppState.Running);
    }

    [Test]
    public async Task Hold_AppThatItsOwnerStopped_StaysStopped()
    {
        await RunNotesAsync();
        _rig.Catalog.SetDesired("notes", DesiredState.Stopped);
        await _rig.UntilAsync("notes", AppState.Stopped, AppReason.Owner);

        using (await HoldAsync()) Assert.That(_rig.Volumes.Mounted(), Is.Empty);

        await _rig.UntilAsync("notes", AppState.Stopped, AppReason.Owner);
    }

    [TestCase("stop")]
    [TestCase("close")]
    public async Task Hold_AppThatDoesNotStop_FailsWithTheReasonAndRunsOn(string what)
    {
        await RunNotesAsync();
        if (what == "stop") _rig.Runtime.Faults["stop"] = Away;
        else _rig.Volumes.Faults["close"] = new VolumeFault(VolumeFaultKind.Busy, "The volume 'db' is in use.", "Wait.");

        var failure = (await Assert.CatchAsync<ExportFailedException>(HoldAsync))!;

        Assert.That(failure.Code, Is.EqualTo("app_not_stopped"));
        Assert.That(failure.Message, Does.Contain("'notes'").And.Contain(what == "stop" ? Away.Sentence : "The volume 'db' is in use."));
        _rig.Runtime.Faults.Clear();
        _rig.Volumes.Faults.Clear();
        await _rig.UntilAsync("notes", AppState.Running);
        Assert.That(_rig.Holds.Current, Is.Empty);
    }

    [Test]
    public async Task Hold_GivenUpWhileItWaits_LetsTheAppGo()
    {
        await RunNotesAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.CatchAsync<OperationCanceledException>(() => Exported.HoldAsync("notes", cancelled.Token));

        Assert.That(_rig.Holds.Current, Is.Empty);
        await _rig.UntilAsync("notes", AppState.Running);
    }

    [Test]
    public async Task Hold_WhileTheEngineIsAway_IsEnoughWhereNoVolumeIsOpen()
    {
        _rig.Install(Notes());
        _rig.Runtime.EngineFault = Away;
        await _rig.StartAsync();

        using (await HoldAsync()) Assert.That(_rig.Volumes.Calls, Does.Contain("rest notes"));

        Assert.That(_rig.Holds.Current, Is.Empty);
    }

    [Test]
    public async Task Hold_WhileTheEngineIsAwayAndAVolumeIsOpen_Fails()
    {
        await RunNotesAsync();
        _rig.Runtime.EngineFault = Away;

        var failure = (await Assert.CatchAsync<ExportFailedException>(HoldAsync))!;

        Assert.That(failure.Message, Does.Contain(Away.Sentence));
    }

    [Test]
    public async Task Hold_RemovedApp_LeavesNothingOfIt()
    {
        await RunNotesAsync();
        _rig.Catalog.Remove("notes");
        await AppRig.UntilAsync(_rig.Board.Changed, () => _rig.Board.Find("notes") is null, () => "the status stays");

        using (await HoldAsync()) Assert.That(_rig.Volumes.Calls, Does.Contain("rest notes"));

        await AppRig.UntilAsync(_rig.Board.Changed, () => _rig.Board.Find("notes") is null, () => "the status stays");
        Assert.That(_rig.Volumes.Calls, Does.Not.Contain("purge notes"));
    }

    [Test]
    public async Task Lock_WhileAnAppIsHeld_IsALock()
    {
        await RunNotesAsync();
        using var hold = await HoldAsync();

        _rig.Lock();

        await _rig.UntilAsync("notes", AppState.Stopped, AppReason.Locked);
    }

    [Test]
    public void Select_Volumes_LeavesOutWhatCanBeHadAgain()
    {
        var notes = Notes();
        _rig.Install(notes with
        {
            Volumes = notes.Volumes.Add("films", new VolumeDefinition(VolumeKind.Media, null)).Add("thumbs", new VolumeDefinition(VolumeKind.Cache, null))
                .Add("site", new VolumeDefinition(VolumeKind.FromImage, null)),
        });
        _rig.Volumes.OnDisk =
        [
            Stored("gone", "data"), Stored("gone", "site", follows: true), Stored("notes", "db"), Stored("notes", "dropped"), Stored("notes", "films"),
            Stored("notes", "site", follows: true), Stored("notes", "thumbs"),
        ];

        var selection = Exported.Select();

        Assert.That(selection.Volumes.Select(v => $"{v.App}/{v.Name} {v.Kind}"),
            Is.EqualTo(new[] { "gone/data kept", "notes/db data", "notes/dropped kept", "notes/films media" }));
        Assert.That(selection.LeftOut.Select(v => $"{v.App}/{v.Name} {v.Kind}"),
            Is.EqualTo(new[] { "gone/site from_image", "notes/site from_image", "notes/thumbs cache" }));
    }

    [Test]
    public void Select_Stamp_ChangesWithAppsAndVolumesButNotWithStartAndStop()
    {
        _rig.Install(Notes());
        _rig.Volumes.OnDisk = [Stored("notes", "db")];
        var first = Exported.Select().Stamp;
        _rig.Catalog.SetDesired("notes", DesiredState.Stopped);
        Assert.That(Exported.Select().Stamp, Is.EqualTo(first));

        _rig.Install(Notes() with { Type = AppType.System });
        var changed = Exported.Select().Stamp;
        _rig.Volumes.OnDisk = [Stored("notes", "db"), Stored("notes", "more")];
        var more = Exported.Select().Stamp;
        _rig.Catalog.Remove("notes");

        Assert.That(new[] { first, changed, more, Exported.Select().Stamp }.Distinct().Count(), Is.EqualTo(4));
    }

    private ExportedAppVolumes Exported => new(_rig.Catalog, _rig.Volumes, _rig.Holds, _rig.Time);

    private Task<IDisposable> HoldAsync() => Exported.HoldAsync("notes", CancellationToken.None).WaitAsync(AppRig.Patience);

    private static StoredVolume Stored(string app, string name, bool follows = false) => new(app, name, Guid.NewGuid().ToString("N"), follows);
}
