using System.Net;
using System.Text.Json.Nodes;
using Piccolo.DevRelay;
using Piccolo.Rig;
using Piccolo.Rig.Acme;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>kill -9 at random moments while the device orders and stores a certificate: afterwards the store opens and the order goes on.</summary>
[Category("Kill"), Category("NeedsPebble")]
[Category("Sealed")]
internal sealed class KillDuringIssuanceTests
{
    private const string Secret = "kill-test-secret";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [TestCase(2, 20261124)]
    [TestCase(20, 20261128, Category = "Slow")]
    public async Task KilledAtRandomMoments_StoreIsAlwaysReadableAndTheCertificateComes(int rounds, int seed)
    {
        var random = new Random(seed);
        using var folder = new TempFolder();
        await using var relay = new Relay(new RelayOptions { Secret = Secret, PublicPorts = [new PublicPort(new IPEndPoint(IPAddress.Loopback, 0), 80)] });
        await relay.StartAsync();
        await using var dns = await ChallengeTestServer.StartAsync(folder.Path);
        await using var ca = await PebbleServer.StartAsync(folder.Path, new PebbleOptions
        {
            HttpPort = relay.PublicPorts[0].Listen.Port,
            DnsServer = dns.DnsServer,
        });
        var settings = new Dictionary<string, string>
        {
            ["Piccolo:Acme:DirectoryUrl"] = ca.DirectoryUrl.ToString(),
            ["Piccolo:Acme:TrustedRootsFile"] = ca.TrustFile,
            ["Piccolo:Nexus:AllowInsecureLoopback"] = "true",
            ["Piccolo:Containers:Socket"] = "",
        };
        var port = LoopbackPorts.Free(1)[0];
        var names = 0;
        for (var round = 0; round < rounds; round++)
        {
            var appliance = await ApplianceProcess.StartAsync(folder.File("state"), folder.File("appliance.log"), port, settings);
            if (round == 0) await appliance.Api.SetUpAsync(TestAppliance.Password);
            await appliance.Api.UnlockAsync(TestAppliance.Password);
            await appliance.Api.TakeTokenAsync($"round {round}");
            // A new portal name each time, so that there is always an order to place.
            await ConfigureAsync(appliance.Api, relay, $"portal{names++}");
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 1200)), TimeProvider.System);
            await appliance.KillAsync();
        }

        await using var last = await ApplianceProcess.StartAsync(folder.File("state"), folder.File("appliance.log"), port, settings);
        await last.Api.UnlockAsync(TestAppliance.Password);
        await last.Api.TakeTokenAsync("last");
        Assert.That((bool)(await last.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True);
        var certificate = await UntilCertifiedAsync(last.Api);
        Assert.That((string?)certificate["status"], Is.EqualTo("ok"));
        Assert.That((string?)certificate["domains"]![0], Is.EqualTo($"portal{names - 1}.home.test"));
    }

    private static Task<JsonNode> ConfigureAsync(ApplianceClient api, Relay relay, string portal) => api.PostAsync("/api/v1/remote/configure", new
    {
        endpoint = relay.HubUri.ToString(),
        device_secret = Secret,
        tld = "home.test",
        portal_hostname = portal,
    });

    private static async Task<JsonNode> UntilCertifiedAsync(ApplianceClient api)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var portal = (await api.GetAsync("/api/v1/remote/certificates"))["certificates"]!.AsArray().FirstOrDefault(c => (string?)c!["id"] == "portal");
            if ((string?)portal?["status"] == "ok") return portal!;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, limit.Token);
        }
    }
}
