using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api;

/// <summary>What the original's own clients do, request by request: its sequences work unchanged.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class ClientSequenceTests
{
    private const string Password = TestAppliance.Password;
    private const string NewPassword = "harbour kettle violin mosaic";

    private TestAppliance _appliance = null!;
    private PortalClient _portal = null!;

    [SetUp]
    public void SetUp()
    {
        _appliance = new TestAppliance();
        _portal = new PortalClient(_appliance);
    }

    [TearDown]
    public async Task TearDown()
    {
        _portal.Dispose();
        await _appliance.DisposeAsync();
    }

    [Test]
    public async Task FirstRun_EndsWithRecoveryWords()
    {
        Assert.That((await _portal.GetAsync("crypto/status")).Body.ToJsonString(), Is.EqualTo("""{"initialized":false,"locked":false}"""));
        var before = await _portal.GetAsync("auth/session");
        Assert.That((bool)before.Body["authenticated"]!, Is.False);
        Assert.That(((string)before.Body["user"]!, (bool)before.Body["volumes_locked"]!, (bool)before.Body["password_stale"]!), Is.EqualTo(("", false, false)));

        Assert.That((await _portal.PostAsync("crypto/setup", new { password = Password })).Body.ToJsonString(), Is.EqualTo("""{"message":"ok"}"""));
        Assert.That((bool)(await _portal.GetAsync("crypto/status")).Body["locked"]!, Is.True, "setup leaves the box locked");
        var unlock = await _portal.PostAsync("crypto/unlock", new { password = Password });
        Assert.That((unlock.Status, unlock.SetsCookie), Is.EqualTo((200, true)));
        Assert.That((bool)(await _portal.GetAsync("auth/initialized")).Body["initialized"]!, Is.True);
        Assert.That((string?)(await _portal.GetAsync("auth/session")).Body["user"], Is.EqualTo("admin"));

        Assert.That((await _portal.GetAsync("crypto/recovery-key")).Body.ToJsonString(), Is.EqualTo("""{"present":false,"stale":false}"""));
        var words = await GenerateAsync();
        Assert.That(words, Has.Length.EqualTo(24));
        Assert.That((await _portal.GetAsync("crypto/recovery-key")).Body.ToJsonString(), Is.EqualTo("""{"present":true,"stale":false}"""));
    }

    [Test]
    public async Task FirstRun_SetupOfTheOwner_SaysThatThereIsOneAlready()
    {
        await ClaimAsync();

        var answer = await _portal.PostAsync("auth/setup", new { password = Password });

        Assert.That((answer.Status, answer.Code), Is.EqualTo((409, "already_initialized")));
        Assert.That((string?)answer.Body["message"], Does.Contain("already"));
        Assert.That((await _portal.PostAsync("auth/setup", new { password = "" })).Status, Is.EqualTo(400));
    }

    [TestCase("crypto/unlock")]
    [TestCase("auth/login")]
    public async Task AfterReboot_UnlockOrLogin_OpensTheBox(string path)
    {
        await ClaimAsync();
        await _portal.WriteAsync(HttpMethod.Post, "crypto/lock");
        Assert.That((bool)(await _portal.GetAsync("crypto/status")).Body["locked"]!, Is.True);
        Assert.That((bool)(await _portal.GetAsync("auth/session")).Body["volumes_locked"]!, Is.True);

        var answer = await _portal.PostAsync(path, new { username = "admin", password = Password });

        Assert.That((answer.Status, answer.SetsCookie), Is.EqualTo((200, true)));
        Assert.That((bool)(await _portal.GetAsync("auth/session")).Body["authenticated"]!, Is.True);
    }

    [Test]
    public async Task LostPassword_ResetThenLoginThenRotate_ClearsTheBanners()
    {
        await ClaimAsync();
        var words = await GenerateAsync();
        await _portal.WriteAsync(HttpMethod.Post, "crypto/lock");
        using var stranger = new PortalClient(_appliance);

        var reset = await stranger.PostAsync("crypto/reset-password", new { recovery_key = string.Join(' ', words), new_password = NewPassword });
        Assert.That((reset.Status, reset.SetsCookie), Is.EqualTo((200, false)));
        Assert.That((bool)(await stranger.GetAsync("crypto/status")).Body["locked"]!, Is.True, "it stays locked");

        Assert.That((await stranger.PostAsync("auth/login", new { username = "admin", password = Password })).Status, Is.EqualTo(401));
        Assert.That((bool)(await stranger.GetAsync("crypto/status")).Body["locked"]!, Is.True, "a failed login opens nothing");
        Assert.That((await stranger.PostAsync("auth/login", new { username = "admin", password = NewPassword })).Status, Is.EqualTo(200));
        var session = (await stranger.GetAsync("auth/session")).Body;
        Assert.That(((bool)session["password_stale"]!, (bool)session["recovery_stale"]!), Is.EqualTo((true, true)));
        Assert.That((bool)(await stranger.GetAsync("crypto/recovery-key")).Body["stale"]!, Is.True);

        Assert.That((await stranger.WriteAsync(HttpMethod.Post, "auth/staleness/ack", new { password = true, recovery = false })).Status, Is.EqualTo(200));
        Assert.That((await stranger.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = NewPassword })).Status, Is.EqualTo(200));
        session = (await stranger.GetAsync("auth/session")).Body;
        Assert.That(((bool)session["password_stale"]!, (bool)session["recovery_stale"]!), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task PasswordChange_KeepsThisBrowserAndEndsTheOthers()
    {
        await ClaimAsync();
        using var other = new PortalClient(_appliance);
        await other.PostAsync("auth/login", new { username = "admin", password = Password });

        var change = await _portal.WriteAsync(HttpMethod.Post, "auth/password", new { old_password = Password, new_password = NewPassword });
        Assert.That((change.Status, change.SetsCookie), Is.EqualTo((200, true)));

        Assert.That((await other.GetAsync("apps")).Status, Is.EqualTo(401));
        Assert.That((await _portal.GetAsync("apps")).Status, Is.EqualTo(200));
        // The token belongs to the session that has ended; the portal drops it on the 403 and fetches the new one.
        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/staleness/ack", new { password = true })).Status, Is.EqualTo(403));
        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/staleness/ack", new { password = true })).Status, Is.EqualTo(200));
        Assert.That((await other.PostAsync("auth/login", new { username = "admin", password = NewPassword })).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Logout_EndsThisSession()
    {
        await ClaimAsync();

        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/logout")).Status, Is.EqualTo(200));
        Assert.That((bool)(await _portal.GetAsync("auth/session")).Body["authenticated"]!, Is.False);
    }

    private async Task ClaimAsync()
    {
        await _portal.PostAsync("crypto/setup", new { password = Password });
        Assert.That((await _portal.PostAsync("crypto/unlock", new { password = Password })).Status, Is.EqualTo(200));
    }

    private async Task<string[]> GenerateAsync() =>
        [.. (await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = Password })).Body["words"]!.AsArray()
            .Select(w => (string)w!)];
}
