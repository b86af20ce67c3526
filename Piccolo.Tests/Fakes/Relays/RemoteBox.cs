using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Tunnel;
using Piccolo.DevRelay;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Fakes.Relays;

/// <summary>A whole appliance behind a DevRelay, both in this process, and public doors between the relay and the strangers.</summary>
internal sealed class RemoteBox : IAsyncDisposable
{
    public const string Secret = "remote-box-secret";
    public const string Domain = "home.test";
    public const string Portal = "portal.home.test";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RelayOptions _relayOptions;

    private RemoteBox(Relay relay, RelayOptions relayOptions, PublicDoor tls, PublicDoor http, TestAppliance appliance) =>
        (Relay, _relayOptions, Tls, Http, Appliance) = (relay, relayOptions, tls, http, appliance);

    public TestCa Ca { get; } = new();

    public Relay Relay { get; }

    /// <summary>What the relay knows this device by.</summary>
    public string RelaySecret { set => _relayOptions.Secret = value; }

    /// <summary>The relay's port 443.</summary>
    public PublicDoor Tls { get; }

    /// <summary>The relay's port 80.</summary>
    public PublicDoor Http { get; }

    public TestAppliance Appliance { get; }

    public FrontDoorBoard Board => Get<FrontDoorBoard>();

    public IPEndPoint RelayTls => Relay.PublicPorts.Single(p => p.AdvertisedPort == 443).Listen;

    public IPEndPoint RelayHttp => Relay.PublicPorts.Single(p => p.AdvertisedPort == 80).Listen;

    public T Get<T>() where T : notnull => Appliance.Services.GetRequiredService<T>();

    /// <summary>An owned box whose doors lead to the relay; remote access is not configured yet.</summary>
    public static Task<RemoteBox> StartAsync(params (string Key, string Value)[] settings) => StartAsync(new PublicDoor(), settings);

    /// <param name="http">The relay's port 80, for a CA that must know it before.</param>
    public static async Task<RemoteBox> StartAsync(PublicDoor http, params (string Key, string Value)[] settings)
    {
        var relayOptions = new RelayOptions
        {
            Secret = Secret,
            PublicPorts = [new PublicPort(new IPEndPoint(IPAddress.Loopback, 0), 443), new PublicPort(new IPEndPoint(IPAddress.Loopback, 0), 80)],
        };
        var relay = new Relay(relayOptions);
        await relay.StartAsync();
        var tls = new PublicDoor();
        var appliance = new TestAppliance(null,
        [
            ("Piccolo:Nexus:AllowInsecureLoopback", "true"),
            // Nobody listens there: orders fail without leaving this machine.
            ("Piccolo:Acme:DirectoryUrl", "https://127.0.0.1:1/directory"),
            ("Piccolo:Remote:ProbeResolver", "fixed:127.0.0.1"),
            ("Piccolo:Remote:ProbePorts:443", $"{tls.Port}"),
            ("Piccolo:Remote:ProbePorts:80", $"{http.Port}"),
            ("Piccolo:Remote:ProbeInterval", "00:00:01"),
            ("Piccolo:Remote:ProbeRetryInterval", "00:00:01"),
            ("Piccolo:Remote:ProbeDebounce", "00:00:00"),
            ("Piccolo:Remote:ProbeConfirmation", "00:00:00.050"),
            .. settings,
        ]);
        var box = new RemoteBox(relay, relayOptions, tls, http, appliance);
        box.Restore();
        await appliance.OwnedAsync();
        return box;
    }

    public void Restore()
    {
        Tls.LeadsTo(RelayTls);
        Http.LeadsTo(RelayHttp);
    }

    /// <summary>Switches remote access on and waits until the relay has the portal's name.</summary>
    public async Task ConfigureAsync()
    {
        await Appliance.Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = Relay.HubUri.ToString(),
            device_secret = Secret,
            tld = Domain,
            portal_hostname = "portal",
        });
        await UntilServedAsync(Portal);
    }

    public Task UntilServedAsync(string name) =>
        UntilAsync(Get<RelayTunnel>().Changed, () => Get<RelayTunnel>().Status.Hostnames.Contains(name), $"the tunnel serves {name}");

    /// <summary>Holds certificates for these names, as if they had been ordered.</summary>
    public void Certify(params string[] names) => Get<ServerCertificateTable>().Replace(names.Select(n => Ca.IssueBundle(n)));

    public async Task<NameReach> UntilAsync(string name, ReachResult result)
    {
        await UntilAsync(Board.Changed, () => Board.Find(name)?.Result == result, $"{name} is {result}", () => $"{Board.Find(name)}");
        return Board.Find(name)!;
    }

    public Task<JsonNode> StatusAsync() => Appliance.Api.GetAsync("/api/v1/remote/status");

    public async ValueTask DisposeAsync()
    {
        await Appliance.DisposeAsync();
        await Tls.DisposeAsync();
        await Http.DisposeAsync();
        await Relay.DisposeAsync();
        Ca.Dispose();
    }

    public static async Task UntilAsync(ChangeSignal changed, Func<bool> holds, string what, Func<string>? now = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                var seen = changed.Version;
                if (holds()) return;
                await changed.WaitAsync(seen, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Waited {Patience.TotalSeconds} s in vain until {what}. {now?.Invoke()}");
        }
    }
}
