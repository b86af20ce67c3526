using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Health;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Health;

/// <summary>Each component of a whole appliance says what is true, and changes when that changes.</summary>
[Category("Timing")]
internal sealed class ComponentTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TestAppliance _appliance = null!;

    [SetUp]
    public void SetUp() => _appliance = new TestAppliance();

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Components_OfANewBox_AreAllThereAndOk()
    {
        await UntilAsync(HealthComponents.Ingress, HealthLevel.Ok);
        await UntilAsync(HealthComponents.Containers, HealthLevel.Ok);
        await UntilAsync(HealthComponents.Leadership, HealthLevel.Ok);
        await UntilAsync(HealthComponents.Certificates, HealthLevel.Ok);
        await UntilAsync(HealthComponents.Volumes, HealthLevel.Ok, "none is open");

        var components = (await _appliance.Api.GetAsync("/api/v1/health/ready"))["components"]!.AsObject();

        Assert.That(components.Select(c => $"{c.Key} {c.Value!["level"]}"), Is.EquivalentTo(
            new[] { "certificates ok", "clock ok", "containers ok", "ingress ok", "leadership ok", "tunnel ok", "vault ok", "volumes ok" }),
            "the store is not spoken of before there is one");
        Assert.That((string)components["ingress"]!["message"]!, Does.Contain($"HTTP {_appliance.HttpPort}, HTTPS off"));
        Assert.That((DateTimeOffset)components["vault"]!["since"]!, Is.EqualTo(TimeProvider.System.GetUtcNow()).Within(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task VaultStoreTunnel_UnlockAndLock_FollowAndStayOk()
    {
        await _appliance.OwnedAsync();
        await UntilAsync(HealthComponents.Store, HealthLevel.Ok, "open at revision");
        await UntilAsync(HealthComponents.Vault, HealthLevel.Ok, "unlocked");
        await UntilAsync(HealthComponents.Tunnel, HealthLevel.Ok, "remote access is not configured");

        await _appliance.Api.PostAsync("/api/v1/crypto/lock");

        await UntilAsync(HealthComponents.Store, HealthLevel.Ok, "sealed");
        await UntilAsync(HealthComponents.Vault, HealthLevel.Ok, "locked");
        await UntilAsync(HealthComponents.Tunnel, HealthLevel.Ok, "not unlocked");
    }

    [Test]
    public async Task Tunnel_RelayThatNobodyServes_IsDegradedWithTheReasonAndReadyStays200()
    {
        await _appliance.OwnedAsync();
        var port = LoopbackPorts.Free(1)[0];

        await _appliance.Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = $"wss://127.0.0.1:{port}",
            device_secret = "s3cret-enough",
            tld = "home.test",
            portal_hostname = "portal",
        });

        await UntilAsync(HealthComponents.Tunnel, HealthLevel.Degraded, "not connected");
        Assert.That((string?)(await _appliance.Api.GetAsync("/health/ready"))["status"], Is.EqualTo("degraded"));
    }

    [Test]
    public async Task Containers_EngineGoesAndComesBack_DegradedThenOk()
    {
        await UntilAsync(HealthComponents.Containers, HealthLevel.Ok);

        _appliance.Engine.EngineFault = RecordingContainerRuntime.Unreachable;
        _appliance.Engine.Changed.Raise();
        await UntilAsync(HealthComponents.Containers, HealthLevel.Degraded, "does not answer");

        _appliance.Engine.EngineFault = null;
        _appliance.Engine.Changed.Raise();
        await UntilAsync(HealthComponents.Containers, HealthLevel.Ok);
    }

    [Test]
    public async Task Ingress_LanPortThatIsTaken_IsDegradedUntilItIsFree()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var table = _appliance.Services.GetRequiredService<ListenerTable>();

        table.Replace([new PublishedListener("blog",
            new ListenerDefinition("web", 8080, ListenerFlow.Tcp, ListenerProtocol.Http, ListenerDefinition.DefaultRemotePorts), 15999, port)]);
        await UntilAsync(HealthComponents.Ingress, HealthLevel.Degraded, $"{port} of blog/web (Address already in use)");

        taken.Stop();
        await UntilAsync(HealthComponents.Ingress, HealthLevel.Ok, "1 LAN ports");
        Assert.That(_appliance.Services.GetRequiredService<LanPortStates>().Find("web")!.Binding, Is.EqualTo(LanPortBinding.Listening));
    }

    [Test]
    public async Task Clock_CertificateThatBeginsLater_IsDegraded()
    {
        await UntilAsync(HealthComponents.Clock, HealthLevel.Ok);

        _appliance.Services.GetRequiredService<ClockFloor>().Observe(TimeProvider.System.GetUtcNow().AddDays(1));

        await UntilAsync(HealthComponents.Clock, HealthLevel.Degraded, "the clock is behind");
    }

    private async Task UntilAsync(string component, HealthLevel level, string message = "")
    {
        var tracker = _appliance.Services.GetRequiredService<HealthTracker>();
        var loop = _appliance.Services.GetRequiredService<HealthLoop>();
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var seen = loop.RoundCompleted.Version;
            var found = tracker.Snapshot.Components.FirstOrDefault(c => c.Name == component);
            if (found?.Level == level && found.Message.Contains(message, StringComparison.Ordinal)) return;
            try
            {
                await loop.RoundCompleted.WaitAsync(seen, limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{component} is {found}, not {level} '{message}'.");
            }
        }
    }
}
