using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps;

/// <summary>What goes with a container, and what stays: an app's volumes go only when the owner removes the app.</summary>
internal sealed class AppRemovalTests
{
    private const string Sample = "localhost/sample:latest";

    private AppRig _rig;

    [SetUp]
    public void SetUp() => _rig = new AppRig();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [Test]
    public async Task Remove_EngineAway_IsDoneWithTheVolumesBeforeTheAppRunsAgain()
    {
        await RunWebAsync();
        _rig.Runtime.EngineFault = RecordingContainerRuntime.Unreachable;
        _rig.Catalog.Remove("web");
        _rig.Install(AppRig.Manifest("web"));
        await _rig.UntilAsync("web", AppState.Error, AppReason.EngineUnreachable);
        var before = _rig.Runtime.Calls.Length;

        _rig.Runtime.EngineFault = null;
        _rig.Time.Advance(TimeSpan.FromMinutes(1));
        await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls.Skip(before), Is.EqualTo(new[] { "stop web", "remove-with-volumes web", "create web", "start web" }));
    }

    [Test]
    public async Task Container_OfAnAppThatTheStoreDoesNotKnow_GoesWithoutItsVolumes()
    {
        _rig.Runtime.AddRunning(_rig.Instance, "web");

        await _rig.StartAsync();
        await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls.Contains("remove web"), () => string.Join(", ", _rig.Runtime.Calls));

        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("remove-with-volumes"));
    }

    /// <summary>After a way back to an older release: neither the other apps nor the container of the one that it cannot read may go.</summary>
    [Test]
    public async Task Container_OfAnAppThatANewerReleaseWrote_IsStoppedAndKept()
    {
        StoreCollection<JsonObject> raw = new("apps");
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        _rig.Install(AppRig.Manifest("newer"));
        var record = _rig.Store.Get(raw, "newer")!;
        record["desired_state"] = "hibernating";
        _rig.Store.Commit(t => t.Put(raw, "newer", record));
        _rig.Runtime.AddRunning(_rig.Instance, "newer");

        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
        await _rig.UntilAsync("newer", AppState.Stopped, AppReason.Refused);

        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("remove"));
    }

    [Test]
    public async Task Replace_CreateThatFails_GivesTheOldVolumesToTheNextAttempt()
    {
        await RunWebAsync();
        var old = _rig.Runtime.Containers.Single().Id;
        _rig.Runtime.Volumes[old] = ImmutableSortedDictionary<string, string>.Empty.Add("/data", "rows");
        _rig.Runtime.Faults["create"] = new ContainerFault(ContainerFaultKind.Refused, "Refused.", "Look.");

        _rig.Install(AppRig.Manifest("web") + "environment: { A: '1' }\n");
        await _rig.UntilAsync("web", AppState.Error, AppReason.Refused);
        _rig.Runtime.Faults.Clear();
        _rig.Time.Advance(TimeSpan.FromMinutes(1));
        await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("remove-with-volumes"));
        Assert.That(_rig.Runtime.Volumes[_rig.Runtime.Containers.Single().Id], Is.EquivalentTo(new Dictionary<string, string> { ["/data"] = "rows" }));
    }

    private async Task RunWebAsync()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
    }
}
