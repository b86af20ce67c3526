using System.Text.Json.Nodes;
using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;

namespace Piccolo.Tests.Core.Apps;

/// <summary>What of a manifest's network reaches the container, and what the owner hears where it does not.</summary>
internal sealed class AppNetworkTests : AppSupervisorFixture
{
    private const string Allow = "permissions: { network: { internet: allow } }\n";

    private static readonly ContainerFault Silent = new(ContainerFaultKind.FirewallUnknown, "Nobody can say.", "Look.");
    private static readonly ContainerFault Missing = new(ContainerFaultKind.FirewallMissing, "Nothing is closed.", "Load it.");

    [Test]
    public async Task Permissions_OfTheManifest_AreTheContainers()
    {
        await RunAsync(
            "permissions: { network: { local_network: allow, dns: deny }, capabilities: [NET_RAW], new_privileges: allow, sysctls: { net.a: 1 } }\n");

        var spec = _rig.Runtime.Specs["web"];
        Assert.That(spec.Rights, Is.EqualTo(new NetworkRights(Internet: false, LocalNetwork: true, Dns: false)));
        Assert.That((spec.Capabilities!.Value.Single(), spec.HasNewPrivileges, spec.Sysctls["net.a"]), Is.EqualTo(("NET_RAW", true, "1")));
    }

    [Test]
    public async Task Permissions_Changed_RemakeTheContainer()
    {
        await RunAsync(Allow);
        Assert.That(_rig.Runtime.Specs["web"].Rights, Is.EqualTo(new NetworkRights(true, false, true)));

        _rig.Install(AppRig.Manifest("web"));
        await AppRig.UntilAsync(_rig.Runtime.Called, () => !_rig.Runtime.Specs["web"].Rights.Any, () => string.Join(", ", _rig.Runtime.Calls));
        await _rig.UntilAsync("web", AppState.Running);

        Assert.That(_rig.Runtime.Calls.Count(c => c == "create web"), Is.EqualTo(2));
    }

    [Test]
    public async Task Firewall_ThatCannotBeWritten_IsSaidOfAnAppThatIsAllowedSomething()
    {
        _rig.Runtime.NetworkFault = Silent;
        await RunAsync(Allow);
        await _rig.UntilAsync("web", AppState.Running, s => s.Detail == "Nobody can say. Look.");

        _rig.Runtime.NetworkFault = null;
        _rig.Runtime.Changed.Raise();

        await _rig.UntilAsync("web", AppState.Running, s => s.Detail.Length == 0);
    }

    [Test]
    public async Task Firewall_ThatCannotBeWritten_IsNothingToAnAppThatIsAllowedNothing()
    {
        _rig.Runtime.NetworkFault = Silent;
        await RunAsync("");

        Assert.That(_rig.Board.Find("web")!.Detail, Is.Empty);
    }

    [Test]
    public async Task Firewall_Missing_IsSaidOfEveryAppThatRuns()
    {
        await RunAsync("");

        _rig.Runtime.NetworkFault = Missing;
        _rig.Runtime.Changed.Raise();

        await _rig.UntilAsync("web", AppState.Running, s => s.Detail == "Nothing is closed. Load it.");
    }

    [Test]
    public async Task Firewall_MissingAtTheStart_IsWhyTheAppDoesNotStart()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Runtime.Faults["start"] = Missing;
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();

        var status = await _rig.UntilAsync("web", AppState.Failed, AppReason.Refused);

        Assert.That(status.Detail, Is.EqualTo("Nothing is closed. Load it."));
    }

    /// <summary>Until now every app reached everything: an update of the appliance takes that from nobody.</summary>
    [TestCase("", "internet local_network dns")]
    [TestCase(Allow, "internet dns", Description = "who says something means it")]
    public void Row_OfAReleaseThatCouldNotCloseNetworks_StaysOpen(string more, string rights)
    {
        var yaml = AppRig.Manifest("web") + more;
        var now = _rig.Time.GetUtcNow();
        StoreRow(1, yaml);
        StoreRow(2, yaml);

        foreach (var name in new[] { "web1", "web2" })
            Assert.That(_rig.Catalog.Find(name)!.Manifest.Services.Single().Network.ToString(), Is.EqualTo(rights), name);

        void StoreRow(int schema, string text)
        {
            var name = $"web{schema}";
            _rig.Store.Commit(t => t.Put(new StoreCollection<JsonObject>("apps", schema), name, new JsonObject
            {
                ["name"] = name,
                ["manifest_text"] = text.Replace("web", name, StringComparison.Ordinal),
                ["manifest"] = new JsonObject { ["name"] = name, ["type"] = "user", ["services"] = new JsonArray(), ["listeners"] = new JsonArray() },
                ["ports"] = new JsonArray(),
                ["desired_state"] = "stopped",
                ["created_at"] = now,
                ["updated_at"] = now,
            }));
        }
    }

    private async Task RunAsync(string more)
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web") + more);
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
    }
}
