using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Auth;

/// <summary>The owner's way in, over HTTP.</summary>
[Category("Timing")]
internal sealed class VaultAndAuthTests
{
    private TestAppliance _appliance = null!;

    [SetUp]
    public void SetUp() => _appliance = new TestAppliance();

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task FirstRun_OriginalsSequence_Works()
    {
        var api = _appliance.Api;
        Assert.That((bool)(await api.GetAsync("/api/v1/crypto/status"))["initialized"]!, Is.False);
        Assert.That((bool)(await api.GetAsync("/api/v1/auth/session"))["authenticated"]!, Is.False);

        await api.SetUpAsync(TestAppliance.Password);
        Assert.That((bool)(await api.GetAsync("/api/v1/crypto/status"))["locked"]!, Is.True);
        await api.UnlockAsync(TestAppliance.Password);

        Assert.That((bool)(await api.GetAsync("/api/v1/auth/initialized"))["initialized"]!, Is.True);
        Assert.That((bool)(await api.GetAsync("/api/v1/auth/session"))["authenticated"]!, Is.True);
        Assert.That((string?)(await api.GetAsync("/api/v1/auth/csrf"))["token"], Has.Length.EqualTo(22));
    }

    [Test]
    public async Task Login_WhileLocked_UnlocksByItself()
    {
        await _appliance.Api.SetUpAsync(TestAppliance.Password);

        await _appliance.Api.PostAsync("/api/v1/auth/login", new { username = "admin", password = TestAppliance.Password });

        Assert.That((bool)(await _appliance.Api.GetAsync("/api/v1/crypto/status"))["locked"]!, Is.False);
    }

    [Test]
    public async Task Unlock_WrongPassword_Is401AndStaysLocked()
    {
        await _appliance.Api.SetUpAsync(TestAppliance.Password);
        using var response = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", JsonContent.Create(new { password = "wrong" }));

        Assert.That((int)response.StatusCode, Is.EqualTo(401));
        Assert.That(response.Headers.Contains("Set-Cookie"), Is.False);
        Assert.That((bool)(await _appliance.Api.GetAsync("/api/v1/crypto/status"))["locked"]!, Is.True);
    }

    [Test]
    public async Task WriteWithSession_WithoutCsrfToken_Is403()
    {
        await _appliance.Api.SetUpAsync(TestAppliance.Password);
        await _appliance.Api.UnlockAsync(TestAppliance.Password);
        using var response = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/lock");

        Assert.That((int)response.StatusCode, Is.EqualTo(403));
        Assert.That((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["code"], Is.EqualTo("csrf_token_invalid"));
    }

    [Test]
    public async Task Lock_EndsSessionsAndTokensUntilTheNextUnlock()
    {
        await _appliance.OwnedAsync();
        await _appliance.Api.PostAsync("/api/v1/crypto/lock");

        using (var closed = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps")) Assert.That((int)closed.StatusCode, Is.EqualTo(423));
        using (var session = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/auth/session"))
            Assert.That((bool)JsonNode.Parse(await session.Content.ReadAsStringAsync())!["authenticated"]!, Is.False);
        await _appliance.Api.UnlockAsync(TestAppliance.Password);

        Assert.That((await _appliance.Api.GetAsync("/api/v1/apps"))["data"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task ReadToken_Write_Is403AndRevokedToken_Is401()
    {
        await _appliance.OwnedAsync();
        var read = await _appliance.Api.PostAsync("/api/v1/auth/tokens", new { name = "reader", scope = "read" });
        await using var script = new StrangerClient(_appliance);

        Assert.That(await StatusAsync(script, HttpMethod.Get, "/api/v1/apps", (string)read["token"]!), Is.EqualTo(200));
        Assert.That(await StatusAsync(script, HttpMethod.Delete, "/api/v1/apps/x", (string)read["token"]!), Is.EqualTo(403));
        await _appliance.Api.GetAsync("/api/v1/auth/tokens");
        using var revoked = await _appliance.SendAsync(HttpMethod.Delete, $"/api/v1/auth/tokens/{read["id"]}");
        Assert.That((int)revoked.StatusCode, Is.EqualTo(200));
        Assert.That(await StatusAsync(script, HttpMethod.Get, "/api/v1/apps", (string)read["token"]!), Is.EqualTo(401));
    }

    [Test]
    public async Task Secrets_AreNeverLogged()
    {
        await _appliance.OwnedAsync();
        await _appliance.Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = "wss://relay.invalid",
            device_secret = "canary-secret-51",
            tld = "home.test",
            portal_hostname = "portal",
        });
        await _appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", JsonContent.Create(new { password = "canary-password-52" }));

        var log = string.Join('\n', _appliance.Log.Entries.Select(e => e.Message + e.Exception));
        Assert.That(log, Does.Not.Contain("canary-").And.Not.Contain(TestAppliance.Password).And.Not.Contain("piccolo_"));
    }

    private static async Task<int> StatusAsync(StrangerClient client, HttpMethod method, string path, string token)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new("Bearer", token);
        using var response = await client.SendAsync(request);
        return (int)response.StatusCode;
    }
}
