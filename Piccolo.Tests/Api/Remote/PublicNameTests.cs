using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Remote;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Remote;

/// <summary>Public names have one owner each and fit into DNS: at install, when the domain is set, and for an alias.</summary>
internal sealed class PublicNameTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Endpoint = "wss://relay.example.test/connect";
    private static readonly string LongLabel = new('l', 60);
    private static readonly string LongDomain = $"{new string('a', 63)}.{new string('b', 63)}.{new string('c', 63)}.test";

    private TestAppliance _appliance = null!;

    [SetUp]
    public async Task SetUp() => _appliance = await new TestAppliance(null, ("Piccolo:Remote:ProbeResolver", "fixed:127.0.0.1")).OwnedAsync();

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Install_ListenerWhoseNameIsTooLongBelowTheDomain_Is400()
    {
        await ConfigureAsync(LongDomain);

        var (status, answer) = await InstallAsync(LongLabel);

        Assert.That((status, (string?)answer["code"]), Is.EqualTo((400, "invalid_manifest")));
        Assert.That((string?)answer["errors"]!["listeners[0].name"]![0], Does.Contain("longer than 253 characters"));
        Assert.That((await _appliance.Api.GetAsync("/api/v1/apps"))["data"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Configure_DomainBelowWhichAListenerIsTooLong_Is400AndNamesIt()
    {
        await InstallAsync(LongLabel);

        var (status, answer) = await TryConfigureAsync(LongDomain);

        Assert.That((status, (string?)answer["code"]), Is.EqualTo((400, "invalid_request")));
        Assert.That((string?)answer["errors"]!["tld"]![0], Does.Contain(LongLabel));
        Assert.That((await _appliance.Api.GetAsync("/api/v1/remote/status"))["enabled"]!.GetValue<bool>(), Is.False);
    }

    [Test]
    public async Task Configure_PortalWhoseNameIsTooLong_Is400()
    {
        var (status, answer) = await TryConfigureAsync(LongDomain, new string('p', 63));

        Assert.That((status, (string?)answer["code"]), Is.EqualTo((400, "invalid_request")));
        Assert.That(answer["errors"]!.AsObject().Select(e => e.Key), Is.EqualTo(new[] { "portal_hostname" }));
    }

    /// <summary>As after an import, or settings of a release that did not look.</summary>
    [Test]
    public async Task LongNameInTheStore_LosesItsOwnNameAlone()
    {
        await InstallAsync(LongLabel, "web");
        _appliance.Services.GetRequiredService<RemoteSettingsStore>()
            .Save(new RemoteSettings(Endpoint, "secret", LongDomain, "portal." + LongDomain, true, DateTimeOffset.UnixEpoch));
        var remote = _appliance.Services.GetRequiredService<RemoteAccess>();
        await _appliance.Log.FirstAsync(4509).WaitAsync(Patience);

        Assert.That(remote.Plan.Hostnames, Is.EquivalentTo(new[] { "portal." + LongDomain, "web." + LongDomain }));
        var services = (await _appliance.Api.GetAsync("/api/v1/services"))["services"]!.AsArray();
        Assert.That(services.Select(s => (string?)s!["remote_host"]), Is.EquivalentTo(new[] { null, "web." + LongDomain }));
        Assert.That((await _appliance.Api.GetAsync("/api/v1/remote/status"))["warnings"]!.AsArray().Select(w => (string?)w), Has.Some.Contains(LongLabel));
    }

    [Test]
    public async Task Plan_OfWhichAPartIsNotTaken_IsNotInForce()
    {
        _appliance.Services.GetRequiredService<RemoteSettingsStore>()
            .Save(new RemoteSettings("no address", "secret", "home.test", "portal.home.test", true, DateTimeOffset.UnixEpoch));

        await _appliance.Log.FirstAsync(4501).WaitAsync(Patience);

        Assert.That(_appliance.Services.GetRequiredService<RemoteAccess>().Plan, Is.EqualTo(RemotePlan.Empty));
    }

    [Test]
    public async Task Install_ListenerOfThePortalsOrAnAliasesName_Is409()
    {
        await ConfigureAsync("home.test");
        using var added = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/remote/aliases", JsonContent.Create(new { hostname = "later.home.test" }));
        Assert.That((int)added.StatusCode, Is.EqualTo(200));

        var (status, answer) = await InstallAsync("later", "portal");

        Assert.That((status, (string?)answer["code"]), Is.EqualTo((409, "app_conflict")));
        Assert.That((string?)answer["errors"]!["listeners[0].name"]![0], Does.Contain("alias later.home.test"));
        Assert.That((string?)answer["errors"]!["listeners[1].name"]![0], Does.Contain("portal"));
    }

    [Test]
    public async Task Alias_OfAListenersName_Is409()
    {
        await ConfigureAsync("home.test");
        await InstallAsync("web");

        using var refused = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/remote/aliases", JsonContent.Create(new { hostname = "web.home.test" }));

        Assert.That((int)refused.StatusCode, Is.EqualTo(409));
    }

    private async Task ConfigureAsync(string domain) => Assert.That((await TryConfigureAsync(domain)).Status, Is.EqualTo(200));

    private Task<(int Status, JsonNode Answer)> TryConfigureAsync(string domain, string portal = "portal") =>
        PostAsync("/api/v1/remote/configure",
            JsonContent.Create(new { endpoint = Endpoint, device_secret = "secret", tld = domain, portal_hostname = portal }));

    private Task<(int Status, JsonNode Answer)> InstallAsync(params string[] listeners)
    {
        var lines = string.Concat(listeners.Select((l, i) => $"  - {{ name: {l}, guest_port: {8080 + i}, protocol: http }}\n"));
        var manifest = $"name: app\nimage: localhost/app:1\nlisteners:\n{lines}";
        return PostAsync("/api/v1/apps", new StringContent(manifest, Encoding.UTF8, "application/yaml"));
    }

    private async Task<(int Status, JsonNode Answer)> PostAsync(string path, HttpContent content)
    {
        using var response = await _appliance.SendAsync(HttpMethod.Post, path, content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
