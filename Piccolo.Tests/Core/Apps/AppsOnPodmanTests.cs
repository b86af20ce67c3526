using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Rig.Podman;
using Piccolo.SampleApp;
using Piccolo.Tests.Core.Containers;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps;

/// <summary>Apps from manifest to answer on a real engine, joined as the daemon joins them.</summary>
[Category("NeedsPodman")]
internal sealed class AppsOnPodmanTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Web = $$"""
        name: web
        image: {{SampleImage.Name}}
        environment: { GREETING: hello }
        resources: { limits: { memory: 256MB, cpu: 1.5 } }
        listeners:
          - { name: web, guest_port: 8080, protocol: http }
          - { name: raw, guest_port: 8443, flow: tls }
        """;

    private readonly DataKey _dataKey = DataKey.Generate();
    private PodmanServer _podman;
    private DirectoryInfo _folder;
    private ServiceProvider _services;
    private HttpClient _http;

    [OneTimeSetUp]
    public async Task StartPodman()
    {
        var began = TimeProvider.System.GetTimestamp();
        _podman = await PodmanServer.StartAsync().WaitAsync(Patience);
        TestContext.Progress.WriteLine($"podman ready after {Seconds(began)} s");
        began = TimeProvider.System.GetTimestamp();
        await SampleImage.BuildAsync().WaitAsync(Patience);
        TestContext.Progress.WriteLine($"image tar built or found after {Seconds(began)} s");
        began = TimeProvider.System.GetTimestamp();
        await SampleImage.ImportAsync(_podman).WaitAsync(Patience);
        TestContext.Progress.WriteLine($"image imported after {Seconds(began)} s");
    }

    [OneTimeTearDown]
    public async Task StopPodman()
    {
        _dataKey.Dispose();
        if (_podman is not null) await _podman.DisposeAsync();
    }

    [SetUp]
    public async Task StartApps()
    {
        _folder = Directory.CreateTempSubdirectory("piccolo-apps-");
        _http = new HttpClient(new SocketsHttpHandler());
        var services = TestServices.New();
        services.AddSingleton(new StatePaths(_folder.FullName)).AddSingleton(TimeProvider.System).AddSingleton<HealthTracker>().AddSingleton<SealedStore>().AddSingleton<LeadershipRegistry>();
        services.AddLogging();
        services.Configure<ContainerOptions>(options => options.Socket = _podman.SocketPath);
        services.AddContainers().AddListeners().AddApps();
        _services = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        foreach (var loop in _services.GetServices<IHostedService>()) await loop.StartAsync(CancellationToken.None);
        Store.Open(_dataKey);
    }

    [TearDown]
    public async Task StopApps()
    {
        _http.Dispose();
        foreach (var loop in _services.GetServices<IHostedService>()) await loop.StopAsync(CancellationToken.None).WaitAsync(Patience);
        await _services.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private SealedStore Store => _services.GetRequiredService<SealedStore>();
    private AppCatalog Catalog => _services.GetRequiredService<AppCatalog>();
    private AppStatusBoard Board => _services.GetRequiredService<AppStatusBoard>();

    [Test]
    public async Task App_FromInstallToRemoval_AnswersOnItsGuardPort()
    {
        var began = TimeProvider.System.GetTimestamp();
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        TestContext.Progress.WriteLine($"running after {Seconds(began)} s");
        Assert.That(await GetAsync(guard, "env?name=GREETING"), Is.EqualTo("hello"));
        TestContext.Progress.WriteLine($"first answer after {Seconds(began)} s");
        var gateway = (await _podman.RunAsync(["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", Board.Find("web")!.ContainerId!])).Trim();
        Assert.That(await GetAsync(guard, "echo"), Does.Contain($"\"remote\":\"{gateway}\"").And.Contain("\"method\":\"GET\"").And.Contain($"\"127.0.0.1:{guard}\""));
        var content = await _http.GetByteArrayAsync(new Uri($"http://127.0.0.1:{guard}/download?mib=3"));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(content)), Is.EqualTo(SampleContent.Sha256(3)));
        Assert.That(await FingerprintAsync(Catalog.Find("web")!.Listeners.Last().GuardPort), Is.EqualTo((await GetAsync(guard, "fingerprint")).Trim()));
        Assert.That(await EchoSocketAsync(guard, "over a socket"), Is.EqualTo("over a socket"));

        Catalog.SetDesired("web", DesiredState.Stopped);
        await UntilAsync(AppState.Stopped, AppReason.Owner);
        Assert.That(CanConnect(guard), Is.False);

        Catalog.SetDesired("web", DesiredState.Running);
        await UntilAsync(AppState.Running);
        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));

        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
        Assert.That(await _podman.RunAsync(["ps", "--all", "--quiet"]), Is.Empty);
    }

    [Test]
    public async Task Follower_ThenLeaderAgain_StopsAndStartsTheRealContainer()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        var leadership = _services.GetRequiredService<LeadershipRegistry>();

        leadership.Apply(new Dictionary<ResourceId, Role> { [ResourceId.App("web")] = Role.FollowerOf(null) });
        await UntilAsync(AppState.Stopped, AppReason.Follower);
        Assert.That(CanConnect(guard), Is.False);

        leadership.Apply(new Dictionary<ResourceId, Role>());
        await UntilAsync(AppState.Running);
        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));
    }

    [Test]
    public async Task Lock_RunningApp_StopsTheRealContainer()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);

        Store.Close();
        await UntilAsync(AppState.Stopped, AppReason.Locked);

        Assert.That(CanConnect(guard), Is.False);
        Assert.That(_services.GetRequiredService<ListenerTable>().Current, Is.Empty);
    }

    [Test]
    public async Task ContainerKilled_BehindOurBack_IsSeenAndStartedAgain()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        var seen = Board.Changed.Version;

        await _podman.RunAsync(["kill", Board.Find("web")!.ContainerId!]);
        await Board.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(Patience);
        await UntilAsync(AppState.Running);

        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));
    }

    [Test]
    public async Task Update_Environment_RemakesTheContainerAtTheSamePort()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        var before = Board.Find("web")!.ContainerId;

        Assert.That(Install(Web.Replace("hello", "good day", StringComparison.Ordinal)), Is.EqualTo(guard));
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is { State: AppState.Running } status && status.ContainerId != before, () => $"still {Board.Find("web")}");

        Assert.That(await GetAsync(guard, "env?name=GREETING"), Is.EqualTo("good day"));
    }

    [Test]
    public async Task Volume_OfTheImage_OutlivesTheContainerAndGoesWithTheApp()
    {
        var image = await ImageWithVolumesAsync();
        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal));
        await UntilAsync(AppState.Running);
        var first = Board.Find("web")!.ContainerId!;
        var volumes = await VolumesOfAsync(first);
        Assert.That(volumes.Keys, Is.EquivalentTo(new[] { "/data", "/tmp" }));
        await File.WriteAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows"), "1,2,3");

        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal).Replace("hello", "good day", StringComparison.Ordinal));
        var second = await UntilOtherContainerAsync(first);
        Assert.That(await VolumesOfAsync(second), Is.EquivalentTo(volumes));

        Catalog.MoveBusyGuardPorts("web");
        var third = await UntilOtherContainerAsync(second);
        Assert.That(await VolumesOfAsync(third), Is.EquivalentTo(volumes));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows")), Is.EqualTo("1,2,3"));

        // An image that declares nothing does not take the data away.
        Install(Web);
        var fourth = await UntilOtherContainerAsync(third);
        Assert.That(await VolumesOfAsync(fourth), Is.EquivalentTo(volumes));

        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet", "--filter", $"label={ContainerLabels.Instance}={_services.GetRequiredService<InstanceId>().Value}"]), Is.Empty);
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet"]), Does.Not.Contain(volumes["/data"]));
    }

    [Test]
    public async Task Volume_OfAContainerFromAnEarlierRelease_IsKept()
    {
        var image = await ImageWithVolumesAsync();
        var instance = _services.GetRequiredService<InstanceId>();
        await _podman.RunAsync(
        [
            "create", "--name", ContainerSpec.NameOf(instance, "web"), "--label", $"{ContainerLabels.Instance}={instance.Value}", "--label", $"{ContainerLabels.App}=web",
            "--label", $"{ContainerLabels.Spec}=old", image,
        ]);
        var volumes = await VolumesOfAsync(ContainerSpec.NameOf(instance, "web"));
        await File.WriteAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows"), "1,2,3");

        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal));
        await UntilAsync(AppState.Running);

        Assert.That(await VolumesOfAsync(Board.Find("web")!.ContainerId!), Is.EquivalentTo(volumes));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows")), Is.EqualTo("1,2,3"));
        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet", "--filter", $"label={ContainerLabels.Instance}={_services.GetRequiredService<InstanceId>().Value}"]), Is.Empty);
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet"]), Does.Not.Contain(volumes["/data"]));
    }

    [Test]
    public async Task Update_NameThatStandsForANewerImage_RemakesTheContainerOfIt()
    {
        var image = await ImageWithVolumesAsync();
        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal));
        await UntilAsync(AppState.Running);
        var first = Board.Find("web")!.ContainerId!;
        Catalog.AskUpdate("web");
        await AppRig.UntilAsync(Store.Changed, () => Catalog.Find("web")!.LastUpdate is { Outcome: UpdateOutcome.Unchanged }, () => $"{Catalog.Find("web")!.LastUpdate}");
        Assert.That(Board.Find("web")!.ContainerId, Is.EqualTo(first));

        await ImageWithVolumesAsync("LABEL release=2");
        Catalog.AskUpdate("web");
        var second = await UntilOtherContainerAsync(first);

        Assert.That(Catalog.Find("web")!.LastUpdate!.Outcome, Is.EqualTo(UpdateOutcome.Updated));
        Assert.That(await _podman.RunAsync(["inspect", "--format", "{{.Image}}", second]), Is.EqualTo(await _podman.RunAsync(["image", "inspect", "--format", "{{.Id}}", image])));
        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
    }

    /// <summary>The sample app in an image that declares two volumes, one of them where the image has a folder that everybody may write to.</summary>
    private async Task<string> ImageWithVolumesAsync(string change = "LABEL release=1")
    {
        const string image = "localhost/with-volumes:latest";
        await _podman.RunAsync(["rm", "--force", "--ignore", "seed"]);
        await _podman.RunAsync(["create", "--name", "seed", SampleImage.Name]);
        await _podman.RunAsync(["commit", "--quiet", "--change", "VOLUME /data", "--change", "VOLUME /tmp/", "--change", change, "seed", image]);
        await _podman.RunAsync(["rm", "seed"]);
        return image;
    }

    private async Task<Dictionary<string, string>> VolumesOfAsync(string container) =>
        (await _podman.RunAsync(["inspect", "--format", "{{range .Mounts}}{{.Destination}}={{.Name}}\n{{end}}", container])).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);

    private async Task<string> MountpointAsync(string volume) => (await _podman.RunAsync(["volume", "inspect", "--format", "{{.Mountpoint}}", volume])).Trim();

    private async Task<string> UntilOtherContainerAsync(string before)
    {
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is { State: AppState.Running } status && status.ContainerId != before, () => $"still {Board.Find("web")}; podman: {_podman.Log}");
        return Board.Find("web")!.ContainerId!;
    }

    private int Install(string yaml)
    {
        var parsed = AppManifestParser.Parse(yaml);
        Assert.That(parsed.Errors, Is.Empty);
        var outcome = Catalog.Install(parsed.Manifest!, yaml, _ => _ => null);
        Assert.That(outcome, Is.InstanceOf<InstallOutcome.Created>().Or.InstanceOf<InstallOutcome.Updated>());
        return Catalog.Find("web")!.Listeners.First().GuardPort;
    }

    private Task UntilAsync(AppState state, AppReason reason = AppReason.None) => AppRig.UntilAsync(
        Board.Changed, () => Board.Find("web") is { } status && status.State == state && status.Reason == reason, () => $"{Board.Find("web")}; podman: {_podman.Log}");

    private Task<string> GetAsync(int port, string path) => PodmanRuntimeTests.GetAsync(_http, $"http://127.0.0.1:{port}/{path}");

    /// <summary>SHA-256 of the certificate with which the app itself answers.</summary>
    private static async Task<string> FingerprintAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var tls = new SslStream(client.GetStream());
#pragma warning disable CA5359 // the certificate is what is looked at
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "piccolo-sample", RemoteCertificateValidationCallback = (_, _, _, _) => true });
#pragma warning restore CA5359
        return Convert.ToHexStringLower(SHA256.HashData(tls.RemoteCertificate!.GetRawCertData()));
    }

    private static async Task<string> EchoSocketAsync(int port, string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/ws"), patience.Token);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static bool CanConnect(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Seconds(long began) => TimeProvider.System.GetElapsedTime(began).TotalSeconds.ToString("0.00", System.Globalization.CultureInfo.InvariantCulture);
}
