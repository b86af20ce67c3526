using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps;

/// <summary>What goes with a container, what stays, and when one is made anew: an app's volumes go only when the owner removes the app.</summary>
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
        await _rig.UntilAsync("web", AppState.Failed, AppReason.EngineUnreachable);
        var before = _rig.Runtime.Calls.Length;

        _rig.Runtime.EngineFault = null;
        _rig.PassAMinute();
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
        StoreCollection<JsonObject> raw = new("apps", Schema: 3);
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
        await _rig.UntilAsync("web", AppState.Failed, AppReason.Refused);
        _rig.Runtime.Faults.Clear();
        _rig.PassAMinute();
        await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("remove-with-volumes"));
        Assert.That(_rig.Runtime.Volumes[_rig.Runtime.Containers.Single().Id], Is.EquivalentTo(new Dictionary<string, string> { ["/data"] = "rows" }));
    }

    [TestCase(null, UpdateOutcome.Unchanged)]
    [TestCase("newer", UpdateOutcome.Updated)]
    public async Task Update_ComparesImagesAndRemakesTheContainerOnlyOfANewerOne(string? newer, UpdateOutcome outcome)
    {
        _rig.Runtime.AddImage("registry.example/app:1");
        _rig.Install(AppRig.Manifest("web", "registry.example/app:1"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
        var before = _rig.Runtime.Calls.Length;
        _rig.Runtime.NewerImage = newer;

        _rig.Catalog.AskUpdate("web");
        await AppRig.UntilAsync(_rig.Store.Changed, () => _rig.Catalog.Find("web")!.LastUpdate is not null, () => string.Join('\n', _rig.Log.Lines));
        if (newer is not null)
            await AppRig.UntilAsync(_rig.Runtime.Called, () => _rig.Runtime.Calls[^1] == "start web", () => string.Join(", ", _rig.Runtime.Calls));

        Assert.That((_rig.Catalog.Find("web")!.LastUpdate!.Outcome, _rig.Catalog.Find("web")!.UpdateAsked), Is.EqualTo((outcome, (DateTimeOffset?)null)));
        string[] remade = newer is null ? [] : ["stop web", "remove web", "create web", "start web"];
        Assert.That(_rig.Runtime.Calls.Skip(before), Is.EqualTo(new[] { "pull registry.example/app:1", "compare web" }.Concat(remade)));
    }

    [Test]
    public async Task Update_RegistryAway_SaysWhyAndLeavesTheAppRunning()
    {
        _rig.Runtime.AddImage("registry.example/app:1");
        _rig.Install(AppRig.Manifest("web", "registry.example/app:1"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
        _rig.Runtime.Faults["pull"] = new ContainerFault(ContainerFaultKind.RegistryUnreachable, "Not reached.", "Wait.");

        _rig.Catalog.AskUpdate("web");
        await AppRig.UntilAsync(_rig.Store.Changed, () => _rig.Catalog.Find("web")!.LastUpdate is not null, () => string.Join('\n', _rig.Log.Lines));

        Assert.That(_rig.Catalog.Find("web")!.LastUpdate, Is.EqualTo(new AppUpdate(_rig.Time.GetUtcNow(), UpdateOutcome.Failed, "Not reached. Wait.")));
        Assert.That(_rig.Board.Find("web")!.State, Is.EqualTo(AppState.Running));
    }

    private async Task RunWebAsync()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
    }
}
