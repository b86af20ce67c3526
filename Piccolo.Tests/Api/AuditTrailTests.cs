using System.Net.Http.Json;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api;

/// <summary>What the owner, and those who are not, did is on record.</summary>
internal sealed class AuditTrailTests
{
    [Test]
    public async Task WayIn_RightAndWrong_IsOnRecordWithoutSecrets()
    {
        await using var appliance = new TestAppliance();
        await appliance.Api.SetUpAsync(TestAppliance.Password);
        using var refused = await appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", JsonContent.Create(new { password = "canary-wrong-password" }));
        await appliance.Api.UnlockAsync(TestAppliance.Password);
        await appliance.Api.TakeTokenAsync("script");
        await appliance.Api.PostAsync("/api/v1/crypto/lock");
        await appliance.Api.UnlockAsync(TestAppliance.Password);

        var page = await appliance.Api.GetAsync("/api/v1/system/audit");
        var kinds = page["entries"]!.AsArray().Select(e => (string?)e!["kind"]).Reverse();

        Assert.That(kinds, Is.EqualTo(new[]
        {
            "vault.set_up", "vault.unlock_failed", "vault.unlocked", "auth.token_created", "vault.locked", "vault.unlocked",
        }));
        Assert.That(page.ToJsonString(), Does.Not.Contain("canary").And.Not.Contain(TestAppliance.Password));
        Assert.That((bool)(await appliance.Api.PostAsync("/api/v1/system/audit/verify"))["whole"]!, Is.True);
    }
}
