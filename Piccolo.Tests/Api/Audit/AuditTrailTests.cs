using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Audit;
using Piccolo.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Audit;

/// <summary>What the owner, and those who are not, did is on record.</summary>
[Category("Timing")]
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

    [Test]
    public async Task WrongPasswords_WhereverTheyAreTried_AreOnRecord()
    {
        const string wrong = "canary-wrong-password";
        await using var appliance = new TestAppliance();
        using var owner = new PortalClient(appliance);
        await owner.PostAsync("crypto/setup", new { password = TestAppliance.Password });
        Assert.That((await owner.PostAsync("crypto/setup", new { password = TestAppliance.Password })).Status, Is.EqualTo(409));
        await owner.PostAsync("crypto/unlock", new { password = TestAppliance.Password });

        // Right ones in between: four wrong ones in a row would have to wait.
        Assert.That((await owner.WriteAsync(HttpMethod.Post, "auth/password",
            new { old_password = wrong, new_password = "harbour kettle violin mosaic" })).Status, Is.EqualTo(401));
        Assert.That((await owner.WriteAsync(HttpMethod.Post, "auth/tokens", new { name = "x", password = wrong })).Status, Is.EqualTo(401));
        Assert.That((await owner.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = wrong })).Status, Is.EqualTo(401));
        Assert.That((await owner.WriteAsync(HttpMethod.Post, "auth/staleness/ack", new { password = true })).Status, Is.EqualTo(200));

        var page = (await owner.GetAsync("system/audit")).Body;
        var entries = page["entries"]!.AsArray().Reverse().Select(e => ((string?)e!["kind"], (string?)e["actor"], (string?)e["detail"]?["reason"]));
        Assert.That(entries, Is.EqualTo(new[]
        {
            ("vault.set_up", "anonymous", null), ("vault.set_up_failed", "anonymous", "already_initialized"), ("vault.unlocked", "anonymous", null),
            ("vault.password_change_failed", "owner", "wrong_password"), ("auth.token_failed", "owner", "wrong_password"),
            ("vault.recovery_key_failed", "owner", "wrong_password"), ("vault.staleness_acknowledged", "owner", null),
        }));
        Assert.That(page.ToJsonString(), Does.Not.Contain("canary"));
    }

    [Test]
    public async Task RefusedLogins_AreCountedAndCommitNothing()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        using var guesser = new PortalClient(appliance, System.Net.IPAddress.Parse("127.0.0.2"));
        using var claimer = new PortalClient(appliance, System.Net.IPAddress.Parse("127.0.0.3"));
        var store = appliance.Services.GetRequiredService<SealedStore>();
        await appliance.Api.GetAsync("/api/v1/apps");
        var (revision, seen) = (store.Revision, store.Changed.Version);

        var evaluated = 0;
        for (var i = 0; i < 50; i++) evaluated += (await guesser.PostAsync("auth/login", new { username = "admin", password = "wrong" })).Status == 401 ? 1 : 0;
        for (var i = 0; i < 50; i++)
            Assert.That((await claimer.PostAsync("crypto/setup", new { password = "harbour kettle violin mosaic" })).Status, Is.EqualTo(409));

        Assert.That(evaluated, Is.LessThan(10));
        Assert.That(store.Revision - revision, Is.EqualTo(evaluated + 1), "each wrong guess, and the first of the others");
        Assert.That(store.Changed.Version, Is.EqualTo(seen), "and no loop is woken");
        appliance.Services.GetRequiredService<AuditLog>().WriteWaiting(withCounted: true);
        var page = await appliance.Api.GetAsync("/api/v1/system/audit");
        var counted = page["entries"]!.AsArray().Where(e => e!["detail"]?["count"] is not null)
            .Select(e => ((string?)e!["kind"], (string?)e["address"], (string?)e["detail"]!["reason"], (string?)e["detail"]!["count"]));
        Assert.That(counted, Is.EquivalentTo(new[]
        {
            ("auth.login_failed", "127.0.0.0/24", "too_many_attempts", $"{50 - evaluated}"),
                ("vault.set_up_failed", "127.0.0.0/24", "already_initialized", "49"),
        }));
    }
}
