using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Containers;
using Piccolo.Core.Volumes;

namespace Piccolo.Tests.Core.Apps;

/// <summary>What an app keeps: volumes and secrets, over failures, removal and purge.</summary>
internal sealed class AppDataTests : NotesFixture
{
    private static readonly ContainerFault NoSuchImage = new(ContainerFaultKind.ImageNotFound, "Not there.", "Look.");

    [Test]
    public async Task Lock_OpenVolumes_AreClosedAlsoWhenTheFirstTryFails()
    {
        await RunNotesAsync();
        _rig.Volumes.Faults["close"] = new VolumeFault(VolumeFaultKind.Busy, "The volume 'db' is in use.", "Wait.");

        _rig.Lock();
        var status = await _rig.UntilAsync("notes", AppState.Failed, AppReason.VolumeUnavailable);
        Assert.That(status.Detail, Is.EqualTo("The volume 'db' is in use. Wait."));

        _rig.Volumes.Faults.Clear();
        _rig.PassAMinute();
        await _rig.UntilAsync("notes", AppState.Stopped, AppReason.Locked);
        Assert.That(_rig.Volumes.Mounted(), Is.Empty);
    }

    [TestCase(VolumeFaultKind.Full, AppReason.VolumeFull)]
    [TestCase(VolumeFaultKind.NotAvailable, AppReason.VolumeUnavailable)]
    public async Task Install_VolumeThatCannotBeOpened_StartsNothing(VolumeFaultKind kind, AppReason reason)
    {
        _rig.Volumes.Faults["open"] = new VolumeFault(kind, "No.", "Yes.");
        _rig.Install(Notes());
        await _rig.StartAsync();

        await _rig.UntilAsync("notes", AppState.Failed, reason);

        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("create"));
    }

    [Test]
    public async Task Volume_ThatLosesItsServer_IsClosedAndOpenedAroundARestart()
    {
        await RunNotesAsync();

        _rig.Volumes.BrokenApp = "notes";
        _rig.Volumes.Changed.Raise();
        await AppRig.UntilAsync(
            _rig.Runtime.Called, () => _rig.Runtime.Calls.Count(c => c == "start notes.web") == 2, () => string.Join(", ", _rig.Runtime.Calls));
        await _rig.UntilAsync("notes", AppState.Running);

        Assert.That(_rig.Volumes.Calls.Where(c => c.StartsWith("close", StringComparison.Ordinal)), Has.Exactly(1).Items);
        Assert.That(_rig.Log.Of(5011), Has.Count.EqualTo(1));
    }

    /// <summary>Its mount is held by the containers alone: nothing but their end lets go of it.</summary>
    [Test]
    public async Task Volume_ThatOnlyContainersHold_IsLetGoAndOpenedAnew()
    {
        await RunNotesAsync();

        _rig.Volumes.Faults["open"] = new VolumeFault(VolumeFaultKind.Busy, "A container still uses it.", "Wait.");
        _rig.Runtime.Changed.Raise();
        await _rig.UntilAsync("notes", AppState.Failed, AppReason.VolumeUnavailable);
        Assert.That(_rig.Runtime.Containers.Where(c => c.IsRunning), Is.Empty);

        _rig.Volumes.Faults.Clear();
        _rig.PassAMinute();
        await _rig.UntilAsync("notes", AppState.Running);
        Assert.That(_rig.Runtime.Calls.Count(c => c == "start notes.db"), Is.EqualTo(2));
    }

    /// <summary>Otherwise the volume would count as one of data from then on, and never follow its image again.</summary>
    [Test]
    public async Task Volume_ThatFollowsItsImage_IsNotOpenedWhileTheImageIsNotKnown()
    {
        var notes = Notes();
        _rig.Install(notes with { Volumes = notes.Volumes.SetItem("db", new VolumeDefinition(VolumeKind.FromImage, null)) });
        await _rig.StartAsync();
        await _rig.UntilAsync("notes", AppState.Running);
        var opened = _rig.Volumes.Calls.Length;

        _rig.Runtime.Faults["image"] = NoSuchImage;
        _rig.Runtime.Changed.Raise();
        await _rig.UntilAsync("notes", AppState.Failed, AppReason.ImageNotFound);

        Assert.That(_rig.Volumes.Calls, Has.Length.EqualTo(opened));
        Assert.That(_rig.Volumes.Images, Is.EqualTo(new[] { "localhost/db:1" }));
    }

    [Test]
    public async Task Purge_OfWhatWasKeptOfARemovedApp_DeletesIt()
    {
        await RunNotesAsync();
        _rig.Catalog.Remove("notes");
        await AppRig.UntilAsync(_rig.Board.Changed, () => _rig.Board.Find("notes") is null, () => "the status stays");

        Assert.That(_rig.Catalog.Remove("notes"), Is.Null);
        Assert.That(_rig.Catalog.Remove("never", purge: true), Is.Null);
        Assert.That(_rig.Catalog.Remove("notes", purge: true), Is.Not.Null);
        await AppRig.UntilAsync(_rig.Store.Changed, () => _rig.Store.Get(AppSecrets.Collection, "notes") is null, () => "the secrets stay");

        Assert.That(_rig.Volumes.Calls, Does.Contain("purge notes"));
    }

    [Test]
    public void Secrets_OverUpdateRemovalAndReinstallation_KeepTheirValuesUntilAPurge()
    {
        _rig.Install(Notes());
        var first = Secret();
        _rig.Install(Notes() with { Type = AppType.System });
        var afterUpdate = Secret();
        _rig.Catalog.Remove("notes");
        _rig.Catalog.Removed("notes");
        _rig.Install(Notes());
        var afterReinstallation = Secret();
        _rig.Catalog.Remove("notes", purge: true);
        _rig.Catalog.Removed("notes");
        _rig.Install(Notes());

        Assert.That((afterUpdate, afterReinstallation), Is.EqualTo((first, first)));
        Assert.That(first, Has.Length.EqualTo(32));
        Assert.That(Secret(), Is.Not.EqualTo(first));

        string Secret() => _rig.Store.Get(AppSecrets.Collection, "notes")!.Values["db"];
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Remove_Volumes_StayUnlessPurged(bool purge)
    {
        await RunNotesAsync();

        _rig.Catalog.Remove("notes", purge);
        await AppRig.UntilAsync(_rig.Board.Changed, () => _rig.Board.Find("notes") is null, () => "the status stays");

        Assert.That(_rig.Volumes.Calls.Contains("purge notes"), Is.EqualTo(purge));
        Assert.That(_rig.Volumes.Mounted(), Is.Empty);
        Assert.That(_rig.Runtime.Containers, Is.Empty);
    }
}
