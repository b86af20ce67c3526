using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Piccolo.Rig.Acme;
using Piccolo.Rig.Podman;

namespace Piccolo.Rig.Stack;

/// <summary>
/// Every process around an appliance, and the appliance itself, on free loopback ports: container engine, CA with its DNS, relay. Disposing stops all of
/// them, the appliance in good order.
/// </summary>
public sealed partial class DemoStack : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly List<IAsyncDisposable> _parts = [];
    private readonly string _folder;
    private readonly int _relayControl;
    private StackShape _shape = StackShape.Plain;
    private readonly HttpClient _relay = new(new SocketsHttpHandler()) { Timeout = TimeSpan.FromSeconds(5) };

    private DemoStack(string folder)
    {
        _folder = folder;
        var ports = LoopbackPorts.Free(6);
        (RelayHubPort, RelayTlsPort, RelayHttpPort, _relayControl, ApiPort, HttpsPort) = (ports[0], ports[1], ports[2], ports[3], ports[4], ports[5]);
        DeviceSecret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
    }

    public ApplianceClient Api => Appliance.Api;
    public PublicInternet Internet { get; private set; } = null!;
    public static string Image => SampleImage.Name;
    public string DeviceSecret { get; }
    public Uri RelayHub => new($"wss://localhost:{RelayHubPort}/connect");
    public string LeadershipFile => Path.Combine(_folder, "leadership.json");
    public string StateDirectory => Path.Combine(_folder, "state");
    public ApplianceProcess Appliance { get; private set; } = null!;
    public ChildProcess Relay { get; private set; } = null!;
    public ChallengeTestServer Dns { get; private set; } = null!;
    public PebbleServer Ca { get; private set; } = null!;
    public PodmanServer Engine { get; private set; } = null!;
    public int RelayHubPort { get; }
    public int RelayTlsPort { get; }
    public int RelayHttpPort { get; }
    public int ApiPort { get; }
    public int HttpsPort { get; }

    /// <param name="folder">Emptied first; logs, state and addresses go here.</param>
    /// <param name="broken">What is taken away once all has started.</param>
    public static async Task<DemoStack> StartAsync(string folder, DemoBreak broken, Timeline timeline, StackShape? shape = null)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var stack = new DemoStack(folder) { _shape = shape ?? StackShape.Plain };
        try
        {
            await timeline.StepAsync("container engine and sample image ready", stack.StartEngineAsync);
            await timeline.StepAsync("certificate authority and its DNS ready", stack.StartCaAsync);
            await timeline.StepAsync("relay ready", stack.StartRelayAsync);
            await stack.WriteRolesAsync("{}");
            await timeline.StepAsync("appliance ready", () => stack.StartApplianceAsync(broken));
            await stack.BreakAsync(broken);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>The names that the relay's sessions claim at this moment.</summary>
    public async Task<IReadOnlySet<string>> RelayHostsAsync()
    {
        var sessions = JsonNode.Parse(await _relay.GetStringAsync(new Uri($"http://127.0.0.1:{_relayControl}/sessions")))!.AsArray();
        return sessions.SelectMany(s => s!["hostnames"]!.AsArray()).Select(h => (string)h!).ToHashSet(StringComparer.Ordinal);
    }

    public async Task WriteRolesAsync(string json)
    {
        var next = LeadershipFile + ".next";
        await File.WriteAllTextAsync(next, json);
        File.Move(next, LeadershipFile, overwrite: true);
    }

    public Task WriteEndpointsAsync(string token) => new DemoEndpoints
    {
        Api = Api.BaseAddress.ToString(),
        Portal = $"https://{DemoEndpoints.PortalHost}",
        RelayHub = RelayHub.ToString(),
        RelayTls = $"127.0.0.1:{RelayTlsPort}",
        RelayHttp = $"127.0.0.1:{RelayHttpPort}",
        RelayControl = $"http://127.0.0.1:{_relayControl}",
        PebbleDirectory = Ca.DirectoryUrl.ToString(),
        PebbleRootFile = RootFile,
        DeviceSecret = DeviceSecret,
        BearerToken = token,
        StateDirectory = StateDirectory,
        LeadershipFile = LeadershipFile,
        ProcessIds = new Dictionary<string, int> { ["appliance"] = Appliance.Id, ["relay"] = Relay.Id, ["pebble"] = Ca.ProcessId, ["dns"] = Dns.ProcessId },
    }.WriteAsync(Path.Combine(_folder, "endpoints.json"));

    /// <summary>Starts an appliance with a state of its own in the same surroundings. Whoever starts it stops it.</summary>
    public Task<ApplianceProcess> StartAnotherAsync(string stateDirectory) =>
        StartApplianceAsync(stateDirectory, "appliance-another.log", LoopbackPorts.Free(1)[0], Engine.SocketPath);

    private Task<ApplianceProcess> StartApplianceAsync(string stateDirectory, string log, int port, string socket) =>
        ApplianceProcess.StartAsync(stateDirectory, Path.Combine(_folder, log), port, new Dictionary<string, string>(_shape.Settings(this))
        {
            ["Piccolo:Ingress:HttpsPort"] = $"{HttpsPort}",
            ["Piccolo:Acme:DirectoryUrl"] = Ca.DirectoryUrl.ToString(),
            ["Piccolo:Acme:TrustedRootsFile"] = Ca.TrustFile,
            ["Piccolo:Nexus:TrustedRootsFile"] = Path.Combine(_folder, HubCertificate.CertificateName),
            // On this machine the strangers of the internet are on loopback too.
            ["Piccolo:Nexus:AllowPrivateClientAddresses"] = "true",
            // The names exist in the CA's DNS only, and the relay's public ports are high ones.
            ["Piccolo:Remote:ProbeResolver"] = Dns.DnsServer,
            ["Piccolo:Remote:ProbePorts:443"] = $"{RelayTlsPort}",
            ["Piccolo:Remote:ProbePorts:80"] = $"{RelayHttpPort}",
            ["Piccolo:Containers:Socket"] = socket,
            ["Piccolo:Leadership:Mode"] = "file",
            ["Piccolo:Leadership:File"] = LeadershipFile,
        }, _shape.Names);

    public string RootFile => Path.Combine(_folder, "pebble-root.pem");

    public async ValueTask DisposeAsync()
    {
        _relay.Dispose();
        foreach (var part in Enumerable.Reverse(_parts)) await part.DisposeAsync();
    }

    private async Task StartEngineAsync()
    {
        Engine = Keep(await PodmanServer.StartAsync());
        await SampleImage.ImportAsync(Engine);
    }

    private async Task StartCaAsync()
    {
        Dns = Keep(await ChallengeTestServer.StartAsync(_folder));
        Ca = Keep(await PebbleServer.StartAsync(_folder, new PebbleOptions { HttpPort = RelayHttpPort, TlsPort = RelayTlsPort, DnsServer = Dns.DnsServer }));
        var root = await Ca.RootPemAsync();
        await File.WriteAllTextAsync(RootFile, root);
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(root);
        Internet = new PublicInternet(new IPEndPoint(IPAddress.Loopback, RelayTlsPort), roots);
    }

    private async Task StartRelayAsync()
    {
        var certificate = HubCertificate.Write(_folder);
        var secret = Path.Combine(_folder, "relay-secret");
        await File.WriteAllTextAsync(secret, DeviceSecret);
        Relay = Keep(StartDll("DevRelay", "relay.log", new Dictionary<string, string>(),
            "--secret-file", secret, "--hub", $"127.0.0.1:{RelayHubPort}", "--cert", certificate.CertificateFile, "--key", certificate.KeyFile,
            "--public", $"127.0.0.1:{RelayTlsPort}=443", "--public", $"127.0.0.1:{RelayHttpPort}=80", "--control", $"127.0.0.1:{_relayControl}"));
        await Relay.WaitForPortAsync(_relayControl, StartLimit);
        await Relay.WaitForPortAsync(RelayHubPort, StartLimit);
    }

    private async Task StartApplianceAsync(DemoBreak broken) => Appliance = Keep(await StartApplianceAsync(
        StateDirectory, "appliance.log", ApiPort, broken == DemoBreak.Podman ? Path.Combine(_folder, "nobody-listens.sock") : Engine.SocketPath));

    private async Task BreakAsync(DemoBreak part)
    {
        switch (part)
        {
            case DemoBreak.Dns:
                // Nobody answers at this address: the CA cannot find the names.
                foreach (var host in (string[])["portal.home.test", "web.home.test"]) await Dns.SetServFailAsync(host);
                break;
            case DemoBreak.Ca:
                await Ca.DisposeAsync();
                break;
            case DemoBreak.Relay:
                await Relay.DisposeAsync();
                break;
        }
    }

    private T Keep<T>(T part) where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>Runs another project of the solution from where its build lies beside ours.</summary>
    private ChildProcess StartDll(string project, string log, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        ChildProcess.Start(new ChildProcessStart("dotnet", [SolutionBuild.Find(project), .. arguments], Path.Combine(_folder, log), "dotnet-sdk-10.0")
        {
            Environment = environment,
            WorkingDirectory = _folder,
        });
}
