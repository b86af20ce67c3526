using Piccolo.Core.Apps;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Listeners;

namespace Piccolo.Tests.Core.Apps;

internal sealed class AppCatalogTests
{
    private AppRig _rig;

    [SetUp]
    public void SetUp() => _rig = new AppRig();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [Test]
    public void Install_New_IsCreatedWithBothPortsInOneCommit()
    {
        var revision = _rig.Store.Revision;

        var outcome = _rig.Install(AppRig.Manifest("web", listeners: ["web", "raw"]));

        Assert.That(outcome, Is.InstanceOf<InstallOutcome.Created>());
        Assert.That(_rig.Store.Revision, Is.EqualTo(revision + 1));
        Assert.That(_rig.Catalog.Find("web")!.Ports, Is.EqualTo(new[] { new AppPorts("web", 15000, 35000), new AppPorts("raw", 15001, 35001) }));
        Assert.That(_rig.Listeners.Current.Select(l => (l.App, l.Name, l.GuardPort, l.PublicPort)),
            Is.EqualTo(new[] { ("web", "raw", 15001, 35001), ("web", "web", 15000, 35000) }));
    }

    [Test]
    public void Install_SameListenerName_KeepsBothPorts()
    {
        _rig.Install(AppRig.Manifest("first"));
        _rig.Install(AppRig.Manifest("web", listeners: ["a", "b", "c"]));
        _rig.Catalog.Remove("first");

        var outcome = _rig.Install(AppRig.Manifest("web", "localhost/new:2", "c", "d", "a"));

        Assert.That(outcome, Is.InstanceOf<InstallOutcome.Updated>());
        Assert.That(_rig.Catalog.Find("web")!.Ports,
            Is.EqualTo(new[] { new AppPorts("c", 15003, 35003), new AppPorts("d", 15000, 35000), new AppPorts("a", 15001, 35001) }));
    }

    [Test]
    public void Install_Updated_KeepsDesiredStateAndCreation()
    {
        _rig.Install(AppRig.Manifest("web"));
        _rig.Catalog.SetDesired("web", DesiredState.Stopped);
        var before = _rig.Catalog.Find("web")!;
        _rig.Time.Advance(TimeSpan.FromMinutes(1));

        _rig.Install(AppRig.Manifest("web", "localhost/new:2"));

        var after = _rig.Catalog.Find("web")!;
        Assert.That((after.DesiredState, after.CreatedAt), Is.EqualTo((DesiredState.Stopped, before.CreatedAt)));
        Assert.That(after.UpdatedAt, Is.GreaterThan(before.UpdatedAt));
        Assert.That(after.Manifest.Main.Image, Is.EqualTo("localhost/new:2"));
    }

    [Test]
    public void Install_SameText_WritesNothing()
    {
        _rig.Install(AppRig.Manifest("web"));
        var revision = _rig.Store.Revision;

        Assert.That(_rig.Install(AppRig.Manifest("web")), Is.InstanceOf<InstallOutcome.Updated>());
        Assert.That(_rig.Store.Revision, Is.EqualTo(revision));
    }

    [Test]
    public void Install_ListenerOfAnotherAppOrOfThePortal_IsConflictWithEveryError()
    {
        _rig.Install(AppRig.Manifest("web", listeners: "web"));
        var revision = _rig.Store.Revision;

        var outcome = _rig.Install(AppRig.Manifest("blog", listeners: ["blog", "web", "portal"]), "portal");

        Assert.That(((InstallOutcome.Conflict)outcome).Errors.Select(e => e.Path), Is.EqualTo(new[] { "listeners[1].name", "listeners[2].name" }));
        Assert.That(((InstallOutcome.Conflict)outcome).Errors[0].Message, Does.Contain("'web'"));
        Assert.That(_rig.Store.Revision, Is.EqualTo(revision));
        Assert.That(_rig.Catalog.Find("blog"), Is.Null);
    }

    [Test]
    public void Install_BusyPort_IsPassedOver()
    {
        _rig.BusyPorts[15000] = true;

        _rig.Install(AppRig.Manifest("web"));

        Assert.That(_rig.Catalog.Find("web")!.Ports.Single().GuardPort, Is.EqualTo(15001));
    }

    [Test]
    public void Install_RangeExhausted_ChangesNothing()
    {
        foreach (var port in Enumerable.Range(15000, 100)) _rig.BusyPorts[port] = true;

        Assert.That(_rig.Install(AppRig.Manifest("web")), Is.InstanceOf<InstallOutcome.NoPortLeft>());
        Assert.That(_rig.Catalog.List(), Is.Empty);
    }

    [Test]
    public void Remove_ThenInstallAgain_ReusesThePorts()
    {
        _rig.Install(AppRig.Manifest("web"));
        Assert.That(_rig.Catalog.Remove("web"), Is.Not.Null);
        Assert.That(_rig.Catalog.Remove("web"), Is.Null);
        Assert.That(_rig.Listeners.Current, Is.Empty);

        _rig.Install(AppRig.Manifest("blog"));

        Assert.That(_rig.Catalog.Find("blog")!.Ports.Single(), Is.EqualTo(new AppPorts("blog", 15000, 35000)));
    }

    [Test]
    public void Records_ThroughTheStore_AreWhole()
    {
        const string text = """
            name: web
            image: web:V1
            environment: { B: "2", a: "1" }
            resources: { limits: { memory: 64MB, cpu: 0.25 } }
            listeners: [{ name: web, guest_port: 80, flow: tls, remote_ports: [8443] }]
            """;
        _rig.Install(text);
        _rig.Lock();
        _rig.Unlock();

        var app = _rig.Catalog.Find("web")!;
        Assert.That(app.ManifestText, Is.EqualTo(text));
        Assert.That(app.Manifest.Main.Environment, Is.EqualTo(new Dictionary<string, string> { ["B"] = "2", ["a"] = "1" }));
        Assert.That((app.Manifest.Main.MemoryBytes, app.Manifest.Main.NanoCpus), Is.EqualTo(((long?)(64L << 20), (long?)250_000_000)));
        Assert.That(app.Manifest.Listeners.Single(), Is.EqualTo(new ListenerDefinition("web", 80, ListenerFlow.Tls, ListenerProtocol.Raw, [8443])));
    }

    [Test]
    public void SetDesired_UnknownApp_IsNull() => Assert.That(_rig.Catalog.SetDesired("web", DesiredState.Stopped), Is.Null);

    [Test]
    public void Sealed_EveryOperation_Throws()
    {
        _rig.Lock();

        Assert.That(() => _rig.Catalog.List(), Throws.InstanceOf<StoreSealedException>());
        Assert.That(() => _rig.Install(AppRig.Manifest("web")), Throws.InstanceOf<StoreSealedException>());
    }

    [Test]
    public async Task ListenerTable_LockAndUnlock_EmptiesAndFills()
    {
        _rig.Install(AppRig.Manifest("web"));
        using var loop = new ListenerTableLoop(_rig.Store, _rig.Catalog, _rig.Log.For<ListenerTableLoop>());
        await loop.StartAsync(CancellationToken.None);

        _rig.Lock();
        await AppRig.UntilAsync(_rig.Listeners.Changed, () => _rig.Listeners.Current.IsEmpty, () => "the table stays full");
        _rig.Unlock();
        await AppRig.UntilAsync(_rig.Listeners.Changed, () => _rig.Listeners.Current.Length == 1, () => "the table stays empty");
        await loop.StopAsync(CancellationToken.None);
    }

    [Test]
    public void ListenerTable_UnchangedListeners_RaisesNothing()
    {
        _rig.Install(AppRig.Manifest("web"));
        var seen = _rig.Listeners.Changed.Version;

        _rig.Catalog.SetDesired("web", DesiredState.Stopped);
        _rig.Catalog.PublishListeners();

        Assert.That(_rig.Listeners.Changed.Version, Is.EqualTo(seen));
    }
}
