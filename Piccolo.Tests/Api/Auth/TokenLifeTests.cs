using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Piccolo.Tests.Api.Auth;

/// <summary>When bearer tokens end with the password, and what one alone must not do.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class TokenLifeTests : SignedInFixture
{
    private const string NewPassword = "harbour kettle violin mosaic";

    [TestCase(false)]
    [TestCase(true)]
    public async Task Reset_EndsEveryToken(bool locked)
    {
        var token = await TokenAsync(new { name = "thief", password = Password });
        var words = (await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = Password })).Body["words"]!.AsArray()
            .Select(w => (string)w!);
        if (locked) await _portal.WriteAsync(HttpMethod.Post, "crypto/lock");

        Assert.That((await _portal.PostAsync("crypto/reset-password", new { recovery_key = string.Join(' ', words), new_password = NewPassword })).Status,
            Is.EqualTo(200));
        await _portal.PostAsync("crypto/unlock", new { password = NewPassword });

        Assert.That((await AskAsync(HttpMethod.Get, "apps", token)).Status, Is.EqualTo(401));
        Assert.That((await _portal.GetAsync("auth/tokens")).Body["tokens"]!.AsArray(), Is.Empty);
    }

    [TestCase(null, 200)]
    [TestCase(false, 200)]
    [TestCase(true, 401)]
    public async Task PasswordChange_KeepsTokensUnlessTold(bool? revoke, int status)
    {
        var token = await TokenAsync(new { name = "script", password = Password });

        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "auth/password",
            new { old_password = Password, new_password = NewPassword, revoke_tokens = revoke })).Status, Is.EqualTo(200));

        Assert.That((await AskAsync(HttpMethod.Get, "apps", token)).Status, Is.EqualTo(status));
    }

    [Test]
    public async Task RevokedTokens_AreForgottenWhenTheNextOneIsMade()
    {
        var dead = await TokenAsync(new { name = "dead", password = Password });
        await _portal.WriteAsync(HttpMethod.Post, "auth/password", new { old_password = Password, new_password = NewPassword, revoke_tokens = true });
        // The CSRF token belongs to the session that has ended; the portal drops it on the 403.
        await _portal.WriteAsync(HttpMethod.Post, "auth/tokens", new { name = "next" });
        var next = await TokenAsync(new { name = "next", password = NewPassword });

        Assert.That((await _portal.GetAsync("auth/tokens")).Body["tokens"]!.AsArray().Select(t => (string?)t!["name"]), Is.EqualTo(new[] { "next" }));
        Assert.That((await AskAsync(HttpMethod.Get, "apps", next)).Status, Is.EqualTo(200));
        Assert.That((await AskAsync(HttpMethod.Get, "apps", dead)).Status, Is.EqualTo(401));
    }

    [Test]
    public async Task WriteToken_Alone_MakesNoRecoveryKey()
    {
        var token = await TokenAsync(new { name = "script", password = Password });

        Assert.That(await CodeAsync("crypto/recovery-key/generate", token, null), Is.EqualTo((403, "password_required")));
        Assert.That(await CodeAsync("crypto/recovery-key/generate", token, new { }), Is.EqualTo((403, "password_required")));
        Assert.That(await CodeAsync("crypto/recovery-key/generate", token, new { password = "wrong" }), Is.EqualTo((401, "wrong_password")));
        Assert.That((bool)(await _portal.GetAsync("crypto/recovery-key")).Body["present"]!, Is.False);
        Assert.That((await CodeAsync("crypto/recovery-key/generate", token, new { password = Password })).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task WriteToken_Alone_DoesNotChangeThePassword()
    {
        var token = await TokenAsync(new { name = "script", password = Password });

        Assert.That(await CodeAsync("auth/password", token, new { new_password = NewPassword }), Is.EqualTo((400, "invalid_request")));
        Assert.That(await CodeAsync("auth/password", token, new { old_password = "wrong", new_password = NewPassword }), Is.EqualTo((401, "wrong_password")));
        Assert.That((await _portal.PostAsync("auth/login", new { username = "admin", password = Password })).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task ExpiringToken_Alone_MakesNoneThatOutlivesIt()
    {
        var token = await TokenAsync(new { name = "guest", expires_in_days = 2, password = Password });

        Assert.That(await CodeAsync("auth/tokens", token, new { name = "eternal" }), Is.EqualTo((403, "password_required")));
        Assert.That(await CodeAsync("auth/tokens", token, new { name = "longer", expires_in_days = 3 }), Is.EqualTo((403, "password_required")));
        Assert.That(await CodeAsync("auth/tokens", token, new { name = "eternal", password = "wrong" }), Is.EqualTo((401, "wrong_password")));
        Assert.That((await CodeAsync("auth/tokens", token, new { name = "shorter", expires_in_days = 1 })).Status, Is.EqualTo(201));
        Assert.That((await CodeAsync("auth/tokens", token, new { name = "eternal", password = Password })).Status, Is.EqualTo(201));
    }

    [TestCase("DELETE", "auth/sessions/{own}")]
    [TestCase("POST", "auth/logout")]
    [TestCase("POST", "auth/password")]
    [TestCase("POST", "crypto/lock")]
    public async Task Session_WithoutThePassword_MakesOnlyTokensThatEndWithIt(string method, string ending)
    {
        foreach (var days in (int[])[1, 2, 3650])
        {
            var refused = await _portal.WriteAsync(HttpMethod.Post, "auth/tokens", new { name = "eternal", expires_in_days = days });
            Assert.That((refused.Status, refused.Code), Is.EqualTo((403, "password_required")), $"{days} days");
        }
        var own = (await _portal.GetAsync("auth/sessions")).Body["sessions"]![0]!;
        var made = (await _portal.WriteAsync(HttpMethod.Post, "auth/tokens", new { name = "short" })).Body;
        Assert.That((DateTimeOffset)made["expires_at"]!, Is.EqualTo((DateTimeOffset)own["created_at"]! + Piccolo.Core.Auth.SessionTable.Absolute));
        var token = (string)made["token"]!;
        var child = (string)(await AskAsync(HttpMethod.Post, "auth/tokens", token, new { name = "child", expires_in_days = 1 })).Body["code"]!;
        Assert.That(child, Is.EqualTo("password_required"), "a day from now is later than the session's end");
        Assert.That((await AskAsync(HttpMethod.Get, "apps", token)).Status, Is.EqualTo(200));

        Assert.That((await _portal.WriteAsync(HttpMethod.Parse(method), ending.Replace("{own}", (string)own["id"]!, StringComparison.Ordinal),
            new { old_password = Password, new_password = NewPassword })).Status, Is.EqualTo(200));
        await _portal.PostAsync("crypto/unlock", new { password = ending == "auth/password" ? NewPassword : Password });

        Assert.That((await AskAsync(HttpMethod.Get, "apps", token)).Status, Is.EqualTo(401));
        Assert.That((await _portal.GetAsync("auth/tokens")).Body["tokens"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Session_WithoutThePassword_MakesNoRecoveryKey()
    {
        foreach (var body in (object?[])[null, new { }, new { password = "" }])
        {
            var refused = await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", body);
            Assert.That((refused.Status, refused.Code), Is.EqualTo((403, "password_required")));
        }
        Assert.That((await _portal.WriteAsync(HttpMethod.Post, "crypto/recovery-key/generate", new { password = "wrong" })).Code, Is.EqualTo("wrong_password"));
        Assert.That((bool)(await _portal.GetAsync("crypto/recovery-key")).Body["present"]!, Is.False);
    }

    [Test]
    public async Task Tokens_MadeByAToken_AreRevokedWithIt()
    {
        var stolen = await TokenAsync(new { name = "stolen", password = Password });
        var child = (await AskAsync(HttpMethod.Post, "auth/tokens", stolen, new { name = "child" })).Body;
        var grandchild = (await AskAsync(HttpMethod.Post, "auth/tokens", (string)child["token"]!, new { name = "grandchild" })).Body;
        var mine = await TokenAsync(new { name = "mine", password = Password });
        var id = (await _portal.GetAsync("auth/tokens")).Body["tokens"]!.AsArray().Single(t => (string?)t!["name"] == "stolen")!["id"];

        Assert.That((await _portal.WriteAsync(HttpMethod.Delete, $"auth/tokens/{id}")).Status, Is.EqualTo(200));

        foreach (var dead in (string[])[stolen, (string)child["token"]!, (string)grandchild["token"]!])
            Assert.That((await AskAsync(HttpMethod.Get, "apps", dead)).Status, Is.EqualTo(401));
        Assert.That((await AskAsync(HttpMethod.Get, "apps", mine)).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task ReadToken_SeesNoValuesOfAnEnvironmentAndDownloadsNoExport()
    {
        _appliance.Engine.AddImage("localhost/web:1");
        var (read, write) = (await TokenAsync(new { name = "reader", scope = "read", password = Password }),
            await TokenAsync(new { name = "writer", password = Password }));
        using var manifest = new StringContent(
            "name: web\nimage: localhost/web:1\nenvironment:\n  DB_PASSWORD: canary-1\nlisteners:\n  - { name: web, guest_port: 80, protocol: http }\n",
            System.Text.Encoding.UTF8, "application/yaml");
        using var installed = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/apps", manifest, r => r.Headers.Authorization = new("Bearer", write));
        Assert.That((int)installed.StatusCode, Is.EqualTo(201), await installed.Content.ReadAsStringAsync());

        foreach (var path in (string[])["apps", "apps/web"])
        {
            Assert.That((await AskAsync(HttpMethod.Get, path, read)).Body.ToJsonString(), Does.Contain("DB_PASSWORD").And.Not.Contain("canary-1"), path);
            Assert.That((await AskAsync(HttpMethod.Get, path, write)).Body.ToJsonString(), Does.Contain("canary-1"), path);
            Assert.That((await _portal.GetAsync(path)).Body.ToJsonString(), Does.Contain("canary-1"), path);
        }
        var (status, refused) = await AskAsync(HttpMethod.Get, "exports/20261124T120000Z-control-00000000/download", read);
        Assert.That((status, (string?)refused["code"]), Is.EqualTo((403, "insufficient_scope")));
        Assert.That((await AskAsync(HttpMethod.Get, "exports/20261124T120000Z-control-00000000/download", write)).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task ReadToken_MakesNoToken()
    {
        var token = await TokenAsync(new { name = "reader", scope = "read", password = Password });

        Assert.That(await CodeAsync("auth/tokens", token, new { name = "writer", password = Password }), Is.EqualTo((403, "insufficient_scope")));
    }

    private async Task<string> TokenAsync(object wanted) => (string)(await _portal.WriteAsync(HttpMethod.Post, "auth/tokens", wanted)).Body["token"]!;

    private async Task<(int Status, string? Code)> CodeAsync(string path, string token, object? body)
    {
        var (status, answer) = await AskAsync(HttpMethod.Post, path, token, body);
        return (status, (string?)answer["code"]);
    }

    private async Task<(int Status, JsonNode Body)> AskAsync(HttpMethod method, string path, string token, object? body = null)
    {
        using var response = await _appliance.SendAsync(method, $"/api/v1/{path}", body is null ? null : JsonContent.Create(body),
            r => r.Headers.Authorization = new("Bearer", token));
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
