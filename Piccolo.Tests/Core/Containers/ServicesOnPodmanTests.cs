using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Rig.Podman;

namespace Piccolo.Tests.Core.Containers;

/// <summary>An app of several services: one network, names, volumes, and nothing left of it.</summary>
[Category("NeedsPodman")]
internal sealed class ServicesOnPodmanTests : PodmanFixture
{
    [Test]
    public async Task Services_OfOneApp_ReachEachOtherByNameAndAlias()
    {
        var (_, main) = await ServeAsync(Main("web"));
        var (_, db) = await ServeAsync(Database("web"));

        foreach (var name in new[] { "db", "database", "store" }) Assert.That(await FetchAsync(main, name), Is.EqualTo("ok\n"), name);
        foreach (var name in new[] { "main", "web" }) Assert.That(await FetchAsync(db, name), Is.EqualTo("ok\n"), name);
        Assert.That(await FetchAsync(main, "main"), Is.EqualTo("ok\n"), "and itself");
        Assert.That((await FileAsync(db, "/etc/hostname")).Trim(), Is.EqualTo("db"));
    }

    [Test]
    public async Task Services_OneMadeAnew_IsFoundAtOnceAndWhereItWas()
    {
        var (_, main) = await ServeAsync(Main("web"));
        var (id, _) = await ServeAsync(Database("web"));
        var address = (await _runtime.FindAsync("web", "db", default)).Value!.Address;
        Assert.That(address, Is.Not.Null);

        for (var i = 0; i < 3; i++)
        {
            Assert.That(await _runtime.StopAsync(id, TimeSpan.FromSeconds(10), default), Is.Null);
            Assert.That(await _runtime.RemoveAsync(id, default), Is.Null);
            (id, _) = await ServeAsync(Database("web") with { Revision = $"{i}" });
            Assert.That(await FetchAsync(main, "store"), Is.EqualTo("ok\n"));
            Assert.That((await _runtime.FindAsync("web", "db", default)).Value!.Address, Is.EqualTo(address));
        }
    }

    /// <summary>The engine never gave the address back, and gets it again all the same.</summary>
    [Test]
    public async Task Services_OneKilledWithItsMonitor_IsMadeAnew()
    {
        var (_, main) = await ServeAsync(Main("web"));
        var (id, _) = await ServeAsync(Database("web"));
        var monitor = (await _podman.RunAsync(["inspect", "--format", "{{.ConmonPidFile}} {{.State.Pid}}", id])).Trim().Split(' ');
        foreach (var process in new[] { int.Parse((await File.ReadAllTextAsync(monitor[0])).Trim(), null), int.Parse(monitor[1], null) })
        {
            using var killed = System.Diagnostics.Process.GetProcessById(process);
            killed.Kill();
        }

        // Podman 4.3 may find out only while it refuses: whoever wants the container gone asks again.
        for (var i = 0; i < 3 && await _runtime.RemoveAsync(id, default) is not null; i++) TestContext.Out.WriteLine(_log.Lines.Last());
        await ServeAsync(Database("web"));

        Assert.That(await FetchAsync(main, "db"), Is.EqualTo("ok\n"));
    }

    [Test]
    public async Task Services_OfAnotherApp_AreReachedByNobody()
    {
        var (_, main) = await ServeAsync(Main("web"));
        await ServeAsync(Database("web"));
        var (_, other) = await ServeAsync(Spec("other", ContainerSpec.MainService));
        var address = (await _runtime.FindAsync("web", "db", default)).Value!.Address!;
        Assert.That(await FetchAsync(main, address), Is.EqualTo("ok\n"), "it is there");

        Assert.That(await IsReachedAsync(other, address), Is.False);
        Assert.That(await IsReachedAsync(other, "db"), Is.False);
        Assert.That(await FileAsync(other, "/etc/hosts"), Does.Not.Contain(address));
    }

    /// <summary>Releases that knew no services made networks for one container: they serve as they are.</summary>
    [Test]
    public async Task Services_OnANetworkOfAnEarlierRelease_ReachEachOther()
    {
        var (id, _) = await ServeAsync(Spec("web", ContainerSpec.MainService));
        var network = await _podman.RunAsync(["network", "inspect", "--format", "{{.ID}} {{.DNSEnabled}}", ContainerSpec.NameOf(_instance, "web")]);
        Assert.That(await _runtime.RemoveAsync(id, default), Is.Null);

        var (_, main) = await ServeAsync(Main("web"));
        await ServeAsync(Database("web"));

        Assert.That(await FetchAsync(main, "database"), Is.EqualTo("ok\n"));
        Assert.That(await _podman.RunAsync(["network", "inspect", "--format", "{{.ID}} {{.DNSEnabled}}", ContainerSpec.NameOf(_instance, "web")]),
            Is.EqualTo(network).And.EndsWith("false\n"));
    }

    [Test]
    public async Task Create_ServicesAtTheSameTime_ShareTheNetwork()
    {
        var specs = new[] { Main("web"), Database("web") };

        var made = await Task.WhenAll(specs.Select(spec => _runtime.CreateAsync(spec, NoVolumes, default))).WaitAsync(Patience);

        Assert.That(made.Select(m => m.Fault), Is.All.Null, () => string.Join('\n', _log.Lines));
        Assert.That((await _runtime.ListAsync(default)).Value.Select(c => (c.Name, c.App, c.Service)), Is.EquivalentTo(new[]
        {
            (specs[0].Name, "web", "main"), (specs[1].Name, "web", "db"),
        }));
    }

    [Test]
    public async Task Find_ServiceByName_IsThatOneOnly()
    {
        await _runtime.CreateAsync(Database("web"), NoVolumes, default);
        // The dot of a name stands for itself.
        await _podman.RunAsync(["create", "--name", ContainerSpec.NameOf(_instance, "web") + "xcache", SampleImage.Name]);

        Assert.That((await _runtime.FindAsync("web", "main", default)), Is.EqualTo(new ContainerResult<ObservedContainer?>(null, null)));
        Assert.That((await _runtime.FindAsync("web", "db", default)).Value!.Service, Is.EqualTo("db"));
        Assert.That((await _runtime.FindAsync("web", "cache", default)), Is.EqualTo(new ContainerResult<ObservedContainer?>(null, null)));
        await _podman.RunAsync(["rm", ContainerSpec.NameOf(_instance, "web") + "xcache"]);
    }

    [Test]
    public async Task NewerImage_OfAService_IsComparedWithItsOwnContainer()
    {
        const string name = "localhost/piccolo-moving:latest";
        await _podman.RunAsync(["tag", SampleImage.Name, name]);
        var image = ImageReference.Parse(name);
        await _runtime.CreateAsync(Database("web") with { Image = image }, NoVolumes, default);
        Assert.That(await _runtime.NewerImageAsync("web", "db", image, default), Is.EqualTo(new ContainerResult<string?>(null, null)));
        await SampleImage.ImportAsync(_podman, name, ["ENV NEWER=1"]);

        var newer = (await _runtime.NewerImageAsync("web", "db", image, default)).Value;

        Assert.That(newer, Does.Match("^[0-9a-f]{64}$").And.EqualTo((await _runtime.ImageAsync(image, default)).Value!.Id));
        Assert.That(await _runtime.NewerImageAsync("web", "main", image, default), Is.EqualTo(new ContainerResult<string?>(null, null)));
    }

    [Test]
    public async Task RemoveWithVolumes_AppOfSeveralServices_LeavesNothing()
    {
        const string name = "localhost/piccolo-volumes:latest";
        await SampleImage.ImportAsync(_podman, name, ["VOLUME /data"]);
        var image = ImageReference.Parse(name);
        await StartAsync(Main("web") with { Image = image });
        await StartAsync(Database("web") with { Image = image });
        var (_, other) = await ServeAsync(Spec("web-db", ContainerSpec.MainService) with { Image = image });
        Assert.That(await OwnAsync("web"), Is.EquivalentTo(new[]
        {
            ContainerSpec.NameOf(_instance, "web"), ContainerSpec.NameOf(_instance, "web", "db"), ContainerSpec.NameOf(_instance, "web"),
            ContainerSpec.VolumeNameOf(_instance, "web", "main", "/data"), ContainerSpec.VolumeNameOf(_instance, "web", "db", "/data"),
        }));

        Assert.That(await _runtime.RemoveWithVolumesAsync("web", default).WaitAsync(Patience), Is.Null);
        Assert.That(await _runtime.RemoveWithVolumesAsync("web", default).WaitAsync(Patience), Is.Null, "twice is no fault");

        Assert.That(await OwnAsync("web"), Is.Empty);
        Assert.That(await OwnAsync("web-db"), Has.Length.EqualTo(3));
        Assert.That(await GetAsync(other, "healthz"), Is.EqualTo("ok\n"), "another app stays as it was");
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet"]), Is.EqualTo(ContainerSpec.VolumeNameOf(_instance, "web-db", "main", "/data") + "\n"));
    }

    /// <summary>Names of containers, networks and volumes that are the app's by their labels.</summary>
    private async Task<string[]> OwnAsync(string app)
    {
        string[] mine = ["--filter", $"label={ContainerLabels.App}={app}"];
        var names = await _podman.RunAsync(["ps", "--all", "--format", "{{.Names}}", .. mine]) + await _podman.RunAsync(["network", "ls", "--quiet", .. mine])
            + await _podman.RunAsync(["volume", "ls", "--quiet", .. mine]);
        return names.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private ContainerSpec Main(string app) => Spec(app, ContainerSpec.MainService) with
    {
        Aliases = ["web"],
        Peers = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("db", ["database", "store"]),
    };

    private ContainerSpec Database(string app) => Spec(app, "db") with
    {
        Aliases = ["database", "store"],
        Peers = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add(ContainerSpec.MainService, ["web"]),
    };

    private Task<string> FetchAsync(int port, string host) => GetAsync(port, $"fetch?url={Uri.EscapeDataString($"http://{host}:8080/healthz")}");

    private async Task<bool> IsReachedAsync(int port, string host)
    {
        using var answer = await _http.GetAsync(new Uri($"http://127.0.0.1:{port}/fetch?url={Uri.EscapeDataString($"http://{host}:8080/healthz")}"));
        Assert.That((int)answer.StatusCode, Is.EqualTo(200).Or.EqualTo(502));
        return answer.IsSuccessStatusCode;
    }
}
