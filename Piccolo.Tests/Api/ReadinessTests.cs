using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Api;

/// <summary>Readiness over HTTP, with real damage on the disk.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class ReadinessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TempFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TempFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Locked_IsReady()
    {
        await using var appliance = new TestAppliance(_folder.Path);
        await appliance.Api.SetUpAsync(TestAppliance.Password);

        Assert.That(await ReadyAsync(appliance), Is.EqualTo((200, (string?)null)));
    }

    [TestCase("{ damaged", "keyset_corrupt")]
    [TestCase(null, "keyset_missing")]
    public async Task KeySetDamagedOrGone_Is503UntilMendedAndCleared(string? content, string code)
    {
        await CreateBoxAsync();
        var keySet = _folder.File("keyset.json");
        var good = await File.ReadAllBytesAsync(keySet);
        if (content is null) File.Delete(keySet);
        else await File.WriteAllTextAsync(keySet, content);
        await using var appliance = new TestAppliance(_folder.Path);

        Assert.That(await ReadyAsync(appliance), Is.EqualTo((503, (string?)code)));
        Assert.That(await ClearAsync(appliance, code), Is.EqualTo(409), "it looks again, and the cause is still there");
        Assert.That(await ReadyAsync(appliance), Is.EqualTo((503, (string?)code)));

        await File.WriteAllBytesAsync(keySet, good);
        Assert.That(await ClearAsync(appliance, code), Is.EqualTo(200));

        Assert.That(await ReadyAsync(appliance), Is.EqualTo((200, (string?)null)));
        await appliance.Api.UnlockAsync(TestAppliance.Password);
    }

    [Test, Category("NeedsRoot")]
    public async Task DiskFull_WritesAre503ReadsGoOnAndItClearsByItself()
    {
        using var disk = MountedFolder.Tmpfs(kibibytes: 2048);
        await using var appliance = await new TestAppliance(disk.Path, ("Piccolo:ControlStore:ProbeInterval", "00:00:00.100")).OwnedAsync();
        var ballast = disk.Fill();

        await AssertWritesStopAsync(appliance, "disk_full");
        File.Delete(ballast);
        var health = appliance.Services.GetRequiredService<HealthTracker>();
        using var patience = new CancellationTokenSource(Limit);
        for (var seen = health.Changed.Version; !health.Snapshot.Ready; seen = health.Changed.Version) await health.Changed.WaitAsync(seen, patience.Token);

        Assert.That(await ReadyAsync(appliance), Is.EqualTo((200, (string?)null)));
        await ConfigureAsync(appliance, "again.test", 200);
    }

    [Test, Category("NeedsRoot")]
    public async Task DiskTurnsReadOnly_WritesAre503AndReadsGoOn()
    {
        using var disk = MountedFolder.Ext4(mebibytes: 8);
        await using var appliance = await new TestAppliance(disk.Path).OwnedAsync();
        disk.Remount("abort");

        await AssertWritesStopAsync(appliance, "read_only");
    }

    [Test]
    public async Task StoreDamaged_UnlockIs503AndReadyIs503()
    {
        await CreateBoxAsync();
        await File.WriteAllTextAsync(_folder.File("control.db"), new string('x', 10_000));
        await using var appliance = new TestAppliance(_folder.Path);

        using var response = await appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock",
            System.Net.Http.Json.JsonContent.Create(new { password = TestAppliance.Password }));

        Assert.That((int)response.StatusCode, Is.EqualTo(503));
        Assert.That((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["code"], Is.EqualTo("storage_fault"));
        Assert.That(await ReadyAsync(appliance), Is.EqualTo((503, (string?)"store_corrupt")));
        using var live = await appliance.SendAsync(HttpMethod.Get, "/health/live");
        Assert.That((int)live.StatusCode, Is.EqualTo(200));
    }

    private static async Task AssertWritesStopAsync(TestAppliance appliance, string code)
    {
        // What was reserved before may still take a commit or two.
        var status = 200;
        for (var i = 0; i < 50 && status == 200; i++) status = await ConfigureAsync(appliance, $"home{i}.test");

        Assert.That(status, Is.EqualTo(503));
        using var ready = await appliance.SendAsync(HttpMethod.Get, "/health/ready");
        var reason = JsonNode.Parse(await ready.Content.ReadAsStringAsync())!["reasons"]!.AsArray().Single()!;
        Assert.That(((int)ready.StatusCode, (string?)reason["code"], (bool)reason["rollback"]!), Is.EqualTo((503, code, false)));
        using var read = await appliance.SendAsync(HttpMethod.Get, "/api/v1/auth/tokens");
        Assert.That((int)read.StatusCode, Is.EqualTo(200), "reads go on");
    }

    private static async Task<int> ConfigureAsync(TestAppliance appliance, string domain, int? expected = null)
    {
        using var response = await appliance.SendAsync(HttpMethod.Post, "/api/v1/remote/configure",
            System.Net.Http.Json.JsonContent.Create(new
            {
                endpoint = "wss://relay.invalid",
                device_secret = "secret",
                tld = domain,
                portal_hostname = "portal",
            }));
        var text = await response.Content.ReadAsStringAsync();
        if (expected is { } status) Assert.That((int)response.StatusCode, Is.EqualTo(status), text);
        else if (!response.IsSuccessStatusCode) Assert.That((string?)JsonNode.Parse(text)!["code"], Is.EqualTo("storage_fault"), text);
        return (int)response.StatusCode;
    }

    private async Task CreateBoxAsync()
    {
        await using var first = await new TestAppliance(_folder.Path).OwnedAsync();
    }

    private static async Task<(int Status, string? Code)> ReadyAsync(TestAppliance appliance)
    {
        using var response = await appliance.SendAsync(HttpMethod.Get, "/api/v1/health/ready");
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.That((bool)body["ready"]!, Is.EqualTo(response.IsSuccessStatusCode));
        return ((int)response.StatusCode, (string?)body["reasons"]!.AsArray().FirstOrDefault()?["code"]);
    }

    private static async Task<int> ClearAsync(TestAppliance appliance, string code)
    {
        using var response = await appliance.SendAsync(HttpMethod.Post, $"/api/v1/system/faults/{code}/clear");
        return (int)response.StatusCode;
    }
}
