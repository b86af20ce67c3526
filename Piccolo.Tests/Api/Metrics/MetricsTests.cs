using System.Net.Http.Json;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Api.Metrics;

/// <summary>What a scraper gets.</summary>
/// <remarks>Not beside others: meters are found by name, so that a scrape shows those of every appliance in this process.</remarks>
[NonParallelizable]
internal sealed class MetricsTests
{
    [Test]
    public async Task Scrape_FromThisMachine_TellsWhatHappened()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        using (await appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", JsonContent.Create(new { password = "wrong" })))
        using (var scraped = await appliance.SendAsync(HttpMethod.Get, "/metrics"))
        {
            var text = await scraped.Content.ReadAsStringAsync();

            Assert.That((int)scraped.StatusCode, Is.EqualTo(200));
            Assert.That(text, Does.Contain("piccolo_ingress_connections").And.Contain("kestrel_active_connections"));
            Assert.That(text, Does.Match("""piccolo_vault_attempts(_attempt)?_total\{.*outcome="done".*\} 1"""));
            Assert.That(text, Does.Match("""piccolo_vault_attempts(_attempt)?_total\{.*outcome="wrong_password".*\} 1"""));
            Assert.That(text, Does.Match("""piccolo_vault_unlocked\{.*\} 1"""));
            Assert.That(text, Does.Match("""piccolo_store_revision.*\{.*\} [1-9]"""), "its commits");
            Assert.That(text, Does.Contain("piccolo_tunnel_online").And.Contain("piccolo_health_level").And.Contain("piccolo_ingress_peeks_waiting"));
        }
    }

    [Test]
    public async Task Scrape_ThroughTheTunnel_NeedsABearerToken()
    {
        await using var appliance = new TestAppliance();
        await appliance.Api.SetUpAsync(TestAppliance.Password);
        await appliance.Api.UnlockAsync(TestAppliance.Password);
        var token = await appliance.Api.TakeTokenAsync("prometheus");
        using var ca = new TestCa();
        using var visitor = TunnelVisitor.Of(appliance, ca);

        Assert.That(await ScrapeAsync(visitor, null), Is.EqualTo(401));
        Assert.That(await ScrapeAsync(visitor, "piccolo_wrong"), Is.EqualTo(401));
        Assert.That(await ScrapeAsync(visitor, token), Is.EqualTo(200));
    }

    [Test]
    public async Task Scrape_SwitchedOff_IsNotThere()
    {
        await using var appliance = new TestAppliance(null, ("Piccolo:Metrics:Path", ""));
        using var scraped = await appliance.SendAsync(HttpMethod.Get, "/metrics");

        Assert.That((int)scraped.StatusCode, Is.EqualTo(404));
    }

    private static async Task<int> ScrapeAsync(HttpClient client, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        using var response = await client.SendAsync(request);
        return (int)response.StatusCode;
    }
}
