using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Core.Apps;
using Piccolo.Tests.Fakes.Networks;

namespace Piccolo.Tests.Core.Containers;

/// <summary>The runtime against a real engine with the sample image.</summary>
[Category("NeedsPodman")]
internal sealed class PodmanRuntimeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ImmutableSortedDictionary<string, string> NoVolumes = ImmutableSortedDictionary<string, string>.Empty;
    private PodmanServer _podman;
    private readonly InstanceId _instance = InstanceId.NewRandom();
    private readonly RecordedLog _log = new();
    private PodmanRuntime _runtime;

    [OneTimeSetUp]
    public async Task StartPodman()
    {
        _podman = await PodmanServer.StartAsync().WaitAsync(Patience);
        await SampleImage.ImportAsync(_podman).WaitAsync(Patience);
        _runtime = Runtime(_instance);
    }

    [OneTimeTearDown]
    public async Task StopPodman()
    {
        _runtime?.Dispose();
        if (_podman is not null) await _podman.DisposeAsync();
    }

    [TearDown]
    public async Task RemoveAll()
    {
        foreach (var container in (await _runtime.ListAsync(CancellationToken.None)).Value) await _runtime.RemoveAsync(container.Id, CancellationToken.None);
    }

    [Test]
    public async Task Lifecycle_SampleImage_AnswersOnTheGuardPortAndIsConfined()
    {
        var port = LoopbackPorts.Free(1)[0];
        var spec = Spec("web", port);
        Assert.That((await _runtime.FindAsync("web", ContainerSpec.MainService, default)), Is.EqualTo(new ContainerResult<ObservedContainer?>(null, null)));
        Assert.That((await _runtime.HasImageAsync(spec.Image, default)).Value, Is.True);

        var id = (await _runtime.CreateAsync(spec, NoVolumes, default)).Value!;
        Assert.That(await _runtime.StartAsync(id, default), Is.Null);
        Assert.That(await _runtime.StartAsync(id, default), Is.Null, "starting twice is no fault");
        var found = (await _runtime.FindAsync("web", ContainerSpec.MainService, default)).Value!;
        Assert.That(found with { Address = null, FixedAddress = null },
            Is.EqualTo(new ObservedContainer(id, spec.Name, "web", ContainerSpec.MainService, spec.Hash, true, null)));
        Assert.That((await _runtime.ListAsync(default)).Value, Is.EqualTo(new[] { found }), "the list tells the same");
        Assert.That(await _podman.RunAsync(["inspect", id]), Does.Contain($"\"IPAddress\": \"{found.Address}\""));
        Assert.That(found.Address, Is.Not.Null);

        using var http = new HttpClient(new SocketsHttpHandler());
        Assert.That(await GuardPort.GetAsync(http, $"http://127.0.0.1:{port}/env?name=GREETING"), Is.EqualTo("hello world"));
        Assert.That((await GuardPort.GetAsync(http, $"http://127.0.0.1:{port}/fingerprint")).Trim(), Has.Length.EqualTo(64));

        var seen = await _podman.RunAsync(
            ["inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy.Name}} "
            + "{{.HostConfig.SecurityOpt}} {{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Size}} {{.State.Pid}}", id]);
        Assert.That(seen, Does.StartWith("268435456 1000000000 512 no [no-new-privileges] k8s-file 10MB "));
        var status = await File.ReadAllLinesAsync($"/proc/{seen.Trim().Split(' ')[^1]}/status");
        // The bounding set: CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10 (capability.h).
        Assert.That(status, Has.Member("CapBnd:\t00000000000004eb").And.Member("NoNewPrivs:\t1").And.Member("CapEff:\t0000000000000000"));

        Assert.That(await _runtime.StopAsync(id, TimeSpan.FromSeconds(10), default), Is.Null);
        Assert.That(await _runtime.StopAsync(id, TimeSpan.FromSeconds(10), default), Is.Null, "stopping twice is no fault");
        found = (await _runtime.FindAsync("web", ContainerSpec.MainService, default)).Value!;
        Assert.That(found, Has.Property(nameof(ObservedContainer.IsRunning)).False.And.Property(nameof(ObservedContainer.Address)).Null);
        Assert.That(await _runtime.RemoveAsync(id, default), Is.Null);
        Assert.That(await _runtime.RemoveAsync(id, default), Is.Null, "removing twice is no fault");
        Assert.That(await _runtime.StartAsync(id, default), Has.Property(nameof(ContainerFault.Kind)).EqualTo(ContainerFaultKind.NotFound));
        Assert.That((await _runtime.ListAsync(default)).Value, Is.Empty);
    }

    [Test]
    public async Task Networks_OfApps_AreOpenedByNobody()
    {
        var ports = LoopbackPorts.Free(5);
        var specs = new[] { "first", "second", "third" }.Zip(ports, Spec).ToArray();
        var ids = new List<string>();
        foreach (var spec in specs)
        {
            ids.Add((await _runtime.CreateAsync(spec, NoVolumes, default)).Value!);
            Assert.That(await _runtime.StartAsync(ids[^1], default), Is.Null);
        }
        await _podman.RunAsync(["run", "--detach", "--name", "owners", "--publish", $"127.0.0.1:{ports[3]}:8080", SampleImage.Name]);
        await _podman.RunAsync(["run", "--detach", "--name", "beside", "--publish", $"127.0.0.1:{ports[4]}:8080", "--network", specs[1].Name,
            SampleImage.Name]);
        using var http = new HttpClient(new SocketsHttpHandler());
        foreach (var port in ports) Assert.That(await GuardPort.GetAsync(http, $"http://127.0.0.1:{port}/healthz"), Is.EqualTo("ok\n"), "each is published");
        var seen = (await _podman.RunAsync(
            ["inspect", "--format", "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", .. ids, "owners", "beside"]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => l.Split(' ') is [var process, var address] ? (Process: process, Address: address) : default).ToArray();
        var (first, second, owners, beside) = (seen[0], seen[1], seen[3], seen[4]);

        Assert.That(await ReachesAsync(beside.Process, second.Address), Is.True, "and whoever is in its own network reaches it");
        Assert.That(await ReachesAsync(owners.Process, second.Address), Is.False, "no container of the owner reaches an app");
        Assert.That(await ReachesAsync(first.Process, second.Address), Is.False, "no app reaches another");

        Assert.That(await _runtime.StopAsync(ids[2], TimeSpan.FromSeconds(10), default), Is.Null);
        Assert.That(await ReachesAsync(first.Process, second.Address), Is.False, "also after a third has stopped");

        await _podman.RunAsync(["rm", "--force", "--time", "0", "owners", "beside"]);
        foreach (var spec in specs) Assert.That(await _runtime.RemoveWithVolumesAsync(spec.App, default), Is.Null);
        var left = (await _podman.RunAsync(["network", "ls", "--quiet"])).Split('\n');
        Assert.That(left.Intersect(specs.Select(s => s.Name)), Is.Empty);
    }

    /// <summary>From inside the network of a process.</summary>
    private static async Task<bool> ReachesAsync(string process, string address)
    {
        using var asked = System.Diagnostics.Process.Start("nsenter", ["-t", process, "-n", "timeout", "3", "bash", "-c", $"</dev/tcp/{address}/8080"]);
        await asked.WaitForExitAsync().WaitAsync(Patience);
        return asked.ExitCode == 0;
    }

    /// <summary>What <c>podman commit</c> of one of our containers gives: the owner's own container has our labels.</summary>
    [Test]
    public async Task Foreign_ContainerWithOurLabelsUnderAnotherName_IsNeitherSeenNorTouched()
    {
        await _podman.RunAsync(["create", "--name", "mine", "--label", $"{ContainerLabels.Instance}={_instance.Value}", "--label", $"{ContainerLabels.App}=web",
            SampleImage.Name]);

        Assert.That((await _runtime.ListAsync(default)).Value, Is.Empty);
        Assert.That((await _runtime.RemoveAsync("mine", default))!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        await _podman.RunAsync(["rm", "mine"]);
    }

    [Test]
    public async Task Foreign_ContainerOfAnotherInstance_IsNeitherSeenNorTouched()
    {
        var strange = InstanceId.NewRandom();
        using var other = Runtime(strange);
        var id = (await other.CreateAsync(Spec("web", LoopbackPorts.Free(1)[0]) with { Instance = strange }, NoVolumes, default)).Value!;

        Assert.That((await _runtime.ListAsync(default)).Value, Is.Empty);
        Assert.That((await _runtime.StartAsync(id, default))!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        Assert.That((await _runtime.StopAsync(id, TimeSpan.FromSeconds(1), default))!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        Assert.That((await _runtime.RemoveAsync(id, default))!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        Assert.That((await other.ListAsync(default)).Value.Single().Id, Is.EqualTo(id));
        await other.RemoveAsync(id, default);
    }

    [Test]
    public async Task Foreign_ContainerOfOurName_IsNeverReplaced()
    {
        var spec = Spec("web", LoopbackPorts.Free(1)[0]);
        await _podman.RunAsync(["create", "--name", spec.Name, SampleImage.Name]);

        Assert.That((await _runtime.FindAsync("web", ContainerSpec.MainService, default)).Fault!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        Assert.That((await _runtime.CreateAsync(spec, NoVolumes, default)).Fault!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        await _podman.RunAsync(["rm", spec.Name]);
    }

    [Test]
    public async Task Start_PortInUse_SaysSoWithoutTheEnginesWords()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var id = (await _runtime.CreateAsync(Spec("web", ((IPEndPoint)listener.LocalEndpoint).Port), NoVolumes, default)).Value!;

        var fault = await _runtime.StartAsync(id, default);

        Assert.That(fault!.Kind, Is.EqualTo(ContainerFaultKind.PortInUse));
        Assert.That(fault.Sentence, Does.Not.Contain("listen tcp"));
        Assert.That(_log.Of(5100), Has.Some.Contains("address already in use"));
    }

    [Test]
    public async Task Create_ImageNotHere_IsImageNotFound()
    {
        var fault = (await _runtime.CreateAsync(Spec("web", LoopbackPorts.Free(1)[0]) with { Image = ImageReference.Parse("localhost/none:V1") }, NoVolumes,
            default)).Fault;

        Assert.That(fault!.Kind, Is.EqualTo(ContainerFaultKind.ImageNotFound));
    }

    [TestCase("localhost:1/none:Tag")]
    [TestCase("localhost:1/none@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public async Task Pull_ErrorLineInAStreamOfStatus200_IsAFault(string image)
    {
        Assert.That((await _runtime.HasImageAsync(ImageReference.Parse(image), default)), Is.EqualTo(new ContainerResult<bool>(false, null)));

        var fault = await _runtime.PullAsync(ImageReference.Parse(image), null, default).WaitAsync(Patience);

        Assert.That(fault!.Kind, Is.EqualTo(ContainerFaultKind.RegistryUnreachable));
        Assert.That(fault.Sentence, Is.EqualTo($"The registry of {image} could not be reached."));
    }

    [Test]
    public async Task Watch_ContainerThatDies_RaisesChanged()
    {
        using var ending = new CancellationTokenSource();
        var watching = _runtime.WatchAsync(ending.Token);
        var id = (await _runtime.CreateAsync(Spec("web", LoopbackPorts.Free(1)[0]), NoVolumes, default)).Value!;
        await _runtime.StartAsync(id, default);
        await AppRig.UntilAsync(_log.Written, () => _log.Of(5103).Any(l => l.Contains("start of " + id, StringComparison.Ordinal)) || watching.IsCompleted,
            () => "no start heard: " + string.Join('\n', _log.Lines));
        var seen = _runtime.Changed.Version;

        await _podman.RunAsync(["kill", id]);
        await _runtime.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(Patience);

        Assert.That(_log.Of(5103), Has.Some.Contains("die"));
        await ending.CancelAsync();
        Assert.That(async () => await watching.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Watch_EngineThatIsKilled_EndsAndRaisesChanged()
    {
        await using var podman = await PodmanServer.StartAsync().WaitAsync(Patience);
        var log = new RecordedLog();
        using var runtime = At(podman.SocketPath, log);
        var watching = runtime.WatchAsync(CancellationToken.None);
        await AppRig.UntilAsync(log.Written, () => log.Of(5104).Count > 0, () => "not watching");
        await AppRig.UntilAsync(runtime.Changed, () => runtime.Changed.Version > 0, () => "the engine was heard and nothing raised");
        var seen = runtime.Changed.Version;

        await podman.KillAsync();
        await watching.WaitAsync(Patience);

        Assert.That(runtime.Changed.Version, Is.GreaterThan(seen));
        Assert.That((await runtime.ListAsync(default)).Fault!.Kind, Is.EqualTo(ContainerFaultKind.EngineUnreachable));
    }

    [Test]
    public async Task Engine_Missing_IsUnreachableWithNextStep()
    {
        using var runtime = At("/nowhere/podman.sock", _log);

        var fault = (await runtime.ListAsync(default)).Fault;

        Assert.That(fault, Is.EqualTo(new ContainerFault(ContainerFaultKind.EngineUnreachable, "The container engine does not answer at /nowhere/podman.sock.",
            "Check that it runs: systemctl status podman.socket")));
    }

    [Test]
    public async Task Engine_GoneAndBack_IsLoggedOnceEach()
    {
        await using var podman = await PodmanServer.StartAsync().WaitAsync(Patience);
        var moved = podman.SocketPath + ".moved";
        var log = new RecordedLog();
        using var runtime = At(podman.SocketPath, log);

        File.Move(podman.SocketPath, moved);
        for (var i = 0; i < 3; i++) Assert.That((await runtime.ListAsync(default)).Fault!.Kind, Is.EqualTo(ContainerFaultKind.EngineUnreachable));
        File.Move(moved, podman.SocketPath);
        for (var i = 0; i < 2; i++) Assert.That((await runtime.ListAsync(default)).Fault, Is.Null);

        Assert.That((log.Of(5101).Count, log.Of(5107).Count, log.Of(5108).Count), Is.EqualTo((1, 2, 1)));
    }

    [Test]
    public async Task Engine_NoneConfigured_IsSaid()
    {
        using var runtime = At("", _log);

        Assert.That(runtime.IsConfigured, Is.False);
        Assert.That((await runtime.ListAsync(default)).Fault!.Kind, Is.EqualTo(ContainerFaultKind.NoEngine));
    }

    /// <summary>A server that takes the connection and says nothing.</summary>
    [Test]
    public async Task Engine_Silent_IsUnreachableWithinTheLimit()
    {
        var path = Path.Combine(Path.GetTempPath(), $"silent-{Guid.NewGuid():N}.sock");
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Bind(new UnixDomainSocketEndPoint(path));
        silent.Listen();
        using var runtime = new PodmanRuntime(_instance, Options.Create(new ContainerOptions { Socket = path, CallTimeout = TimeSpan.FromSeconds(1) }),
            TestFirewall.Of(_instance, _log), TimeProvider.System, _log.For<PodmanRuntime>());

        var result = await runtime.ListAsync(default).WaitAsync(TimeSpan.FromSeconds(20));
        File.Delete(path);

        Assert.That(result.Fault!.Kind, Is.EqualTo(ContainerFaultKind.EngineUnreachable));
    }

    private PodmanRuntime Runtime(InstanceId instance) => At(_podman.SocketPath, _log, instance);

    private PodmanRuntime At(string socket, RecordedLog log, InstanceId? instance = null) => new(
        instance ?? _instance, Options.Create(new ContainerOptions { Socket = socket }), TestFirewall.Of(instance ?? _instance, log), TimeProvider.System,
        log.For<PodmanRuntime>());

    private ContainerSpec Spec(string app, int port) => new(_instance, app, ContainerSpec.MainService, ImageReference.Parse(SampleImage.Name),
        ImmutableSortedDictionary<string, string>.Empty.Add("GREETING", "hello world"), [new PortPublication(8080, port)], 256L << 20, 1_000_000_000);
}
