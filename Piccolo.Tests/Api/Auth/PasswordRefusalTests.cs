using System.Net;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Auth;

/// <summary>What refused passwords, words and codes get to hear, and when they are not looked at at all.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class PasswordRefusalTests : SignedInFixture
{
    [TestCase("crypto/unlock")]
    [TestCase("auth/login")]
    [TestCase("crypto/reset-password")]
    public async Task Guessing_IsSlowedPerAddressAndNotLookedAt(string path)
    {
        using var guesser = new PortalClient(_appliance, IPAddress.Parse("127.0.0.2"));
        var wrong = new { username = "admin", password = "wrong", recovery_key = "wrong", new_password = "wrong" };
        for (var i = 0; i < 4; i++) Assert.That((await guesser.PostAsync(path, wrong)).Status, Is.EqualTo(401), $"attempt {i}");

        var refused = await guesser.PostAsync("auth/login", new { username = "admin", password = Password });

        Assert.That((refused.Status, refused.Code), Is.EqualTo((429, "too_many_attempts")));
        Assert.That(refused.RetryAfter, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(refused.SetsCookie, Is.False);
        Assert.That((string?)refused.Body["next_step"], Does.Contain("Try again"));
        Assert.That((await _portal.PostAsync("auth/login", new { username = "admin", password = Password })).Status, Is.EqualTo(200),
            "another address is not delayed");
    }

    [Test]
    public async Task Guessing_ThroughTheSession_IsSlowedToo()
    {
        for (var i = 0; i < 4; i++)
            Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/password",
                new { old_password = "wrong", new_password = "harbour kettle violin mosaic" })).Code, Is.EqualTo("wrong_password"));

        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/password",
            new { old_password = Password, new_password = "harbour kettle violin mosaic" })).Status, Is.EqualTo(429));
        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = Password })).Status, Is.EqualTo(429));
        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/tokens", new { name = "x", password = Password })).Status, Is.EqualTo(429));
    }

    [TestCase("harbour1", "at least 10")]
    [TestCase("password123", "words")]
    public async Task WeakNewPassword_Is400WithAdvice(string weak, string advice)
    {
        var answer = await _portal.WriteAsync(HttpMethod.Post, "auth/password", new { old_password = Password, new_password = weak });

        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "weak_password")));
        Assert.That((string?)answer.Body["next_step"], Does.Contain(advice));
        Assert.That((string?)answer.Body["errors"]!["new_password"]![0], Does.Contain(advice));
    }

    [Test]
    public async Task WeakFirstPassword_ClaimsNothing()
    {
        await using var fresh = new TestAppliance();
        using var portal = new PortalClient(fresh);

        Assert.That((await portal.PostAsync("crypto/setup", new { password = "password123" })).Code, Is.EqualTo("weak_password"));
        Assert.That((bool)(await portal.GetAsync("crypto/status")).Body["initialized"]!, Is.False);
        Assert.That((await portal.PostAsync("auth/setup", new { password = Password })).Status, Is.EqualTo(200));
        Assert.That((bool)(await portal.GetAsync("crypto/status")).Body["initialized"]!, Is.True);
    }

    [TestCase("zoo zoo zoo", "24 words")]
    [TestCase("hunter2", "typing error")]
    public async Task WrongWords_AreExplained(string words, string explanation)
    {
        await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = Password });

        var answer = await _portal.PostAsync("crypto/reset-password", new { recovery_key = words, new_password = "harbour kettle violin mosaic" });

        Assert.That((answer.Status, answer.Code), Is.EqualTo((401, "wrong_recovery_key")));
        Assert.That((string?)answer.Body["detail"], Does.Contain(explanation));
    }

    [Test]
    public async Task Reset_WithoutARecoveryKey_Is401() => Assert.That(
        (await _portal.PostAsync("crypto/reset-password", new { recovery_key = "zoo", new_password = "harbour kettle violin mosaic" })).Code,
        Is.EqualTo("no_recovery_key"));

    [Test]
    public async Task Reset_WithoutAnything_NamesBothFields()
    {
        var answer = await _portal.PostAsync("crypto/reset-password", new { });

        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid_request")));
        Assert.That(answer.Body["errors"]!.AsObject().Select(e => e.Key), Is.EquivalentTo(new[] { "recovery_key", "new_password" }));
    }

    [Test]
    public async Task Acknowledge_Nothing_Is400() =>
        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/staleness/ack", new { password = false })).Status, Is.EqualTo(400));

    [Test]
    public async Task SetupCode_Required_IsOnTheConsoleOnceAndNeeded()
    {
        await using var image = new TestAppliance(settings: ("Piccolo:Vault:RequireSetupCode", "true"));
        using var portal = new PortalClient(image);
        var line = image.Log.Entries.Single(e => e.Message.Contains("set-up code", StringComparison.Ordinal)).Message;
        var code = line[^9..];

        Assert.That((await portal.PostAsync("crypto/setup", new { password = Password })).Code, Is.EqualTo("wrong_setup_code"));
        Assert.That((await portal.PostAsync("auth/setup", new { password = Password, setup_code = "0000-0000" })).Code, Is.EqualTo("wrong_setup_code"));
        Assert.That((await portal.PostAsync("crypto/setup", new { password = Password, setup_code = code.ToLowerInvariant() })).Status, Is.EqualTo(200));
        Assert.That((await portal.PostAsync("crypto/setup", new { password = Password })).Code, Is.EqualTo("already_initialized"));
    }

    [Test]
    public async Task SetupCode_Guessed_IsLimited()
    {
        await using var image = new TestAppliance(settings: ("Piccolo:Vault:RequireSetupCode", "true"));
        using var portal = new PortalClient(image);
        for (var i = 0; i < 4; i++) await portal.PostAsync("crypto/setup", new { password = Password, setup_code = $"0000-000{i}" });

        Assert.That((await portal.PostAsync("crypto/setup", new { password = Password, setup_code = "0000-0009" })).Status, Is.EqualTo(429));
    }
}
