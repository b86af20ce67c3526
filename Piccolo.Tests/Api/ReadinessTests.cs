using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api;

/// <summary>Readiness over HTTP, with real damage on the disk.</summary>
[Category("Sealed")]
internal sealed class ReadinessTests
{
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

    [Test]
    public async Task StoreDamaged_UnlockIs503AndReadyIs503()
    {
        await CreateBoxAsync();
        await File.WriteAllTextAsync(_folder.File("control.db"), new string('x', 10_000));
        await using var appliance = new TestAppliance(_folder.Path);

        using var response = await appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", System.Net.Http.Json.JsonContent.Create(new { password = TestAppliance.Password }));

        Assert.That((int)response.StatusCode, Is.EqualTo(503));
        Assert.That((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["code"], Is.EqualTo("storage_fault"));
        Assert.That(await ReadyAsync(appliance), Is.EqualTo((503, (string?)"store_corrupt")));
        using var live = await appliance.SendAsync(HttpMethod.Get, "/health/live");
        Assert.That((int)live.StatusCode, Is.EqualTo(200));
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
