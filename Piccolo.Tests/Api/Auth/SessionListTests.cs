using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Auth;

/// <summary>The owner sees who is logged in, ends it, and sees which tokens are in use.</summary>
[Category("Timing")]
internal sealed class SessionListTests : SignedInFixture
{
    private PortalClient _phone = null!;

    [SetUp]
    public async Task SignInWithThePhone()
    {
        _phone = new PortalClient(_appliance, System.Net.IPAddress.Parse("127.0.0.9"));
        await _phone.PostAsync("auth/login", new { username = "admin", password = Password });
    }

    [TearDown]
    public void ClosePhone() => _phone.Dispose();

    [Test]
    public async Task List_ShowsBothAndWhichOneAsks()
    {
        var sessions = await ListAsync(_portal);

        Assert.That(sessions, Has.Count.EqualTo(2));
        Assert.That(sessions.Select(s => ((string?)s["address"], (bool)s["current"]!, (string?)s["origin"])),
            Is.EquivalentTo(new[] { ("127.0.0.1", true, "local"), ("127.0.0.9", false, "local") }));
    }

    [Test]
    public async Task End_One_StopsItAtOnce()
    {
        var phone = (string)(await ListAsync(_phone)).Single(s => (bool)s["current"]!)["id"]!;

        Assert.That((await _portal.WriteAsync(HttpMethod.Delete, $"auth/sessions/{phone}")).Status, Is.EqualTo(200));
        Assert.That((await _phone.GetAsync("apps")).Status, Is.EqualTo(401));
        Assert.That((await _portal.WriteAsync(HttpMethod.Delete, $"auth/sessions/{phone}")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task EndOthers_KeepsTheOneThatAsks()
    {
        Assert.That((await _portal.WriteAsync(HttpMethod.Delete, "auth/sessions")).Status, Is.EqualTo(200));

        Assert.That((await _phone.GetAsync("apps")).Status, Is.EqualTo(401));
        Assert.That(await ListAsync(_portal), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Sessions_AreEndedByAReset()
    {
        var words = (await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate",
            new { password = Password })).Body["words"]!.AsArray().Select(w => (string)w!);

        await _phone.PostAsync("crypto/reset-password", new { recovery_key = string.Join(',', words), new_password = "harbour kettle violin mosaic" });

        Assert.That((await _portal.GetAsync("apps")).Status, Is.EqualTo(401));
        Assert.That((await _phone.GetAsync("apps")).Status, Is.EqualTo(401));
    }

    [Test]
    public async Task Token_Used_ShowsWhen()
    {
        var token = (await _portal.WriteAsync(HttpMethod.Post, "auth/tokens", new { name = "script" })).Body;
        Assert.That((await _portal.GetAsync("auth/tokens")).Body["tokens"]![0]!["last_used_at"], Is.Null);
        using var response = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps",
            change: r => r.Headers.Authorization = new("Bearer", (string)token["token"]!));

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That((await _portal.GetAsync("auth/tokens")).Body["tokens"]![0]!["last_used_at"], Is.Not.Null);
    }

    private static async Task<IReadOnlyList<JsonNode>> ListAsync(PortalClient client) =>
        [.. (await client.GetAsync("auth/sessions")).Body["sessions"]!.AsArray().Select(s => s!)];
}
