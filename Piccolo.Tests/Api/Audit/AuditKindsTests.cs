using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Audit;
using Piccolo.Core.Certificates;
using Piccolo.Core.Health;
using Piccolo.DevRelay;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Audit;

/// <summary>
/// The life of one box, act by act over its API, and what its audit log says of each: kind, actor, origin and address, in this order and nothing else. A
/// kind that no act here makes fails the test.
/// </summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class AuditKindsTests
{
    private const string Password = TestAppliance.Password;
    private const string NewPassword = "harbour kettle violin mosaic";
    private const string Wrong = "canary-wrong-password";
    private const string Nobody = "anonymous";
    private const string Owner = "owner";
    private const string Token = "token:script";
    private const string Filler = "test.filler";

    private readonly List<(string Kind, string Actor, string Origin, string? Address)> _acts = [];

    [Test]
    public async Task Kinds_EachByItsAct_AreOnRecordWithActorOriginAndAddress()
    {
        var options = new RelayOptions { Secret = "canary-secret-1" };
        await using var relay = new Relay(options);
        await relay.StartAsync();
        await using var box = new TestAppliance(null, ("Piccolo:Nexus:AllowInsecureLoopback", "true"),
            ("Piccolo:Acme:DirectoryUrl", "https://127.0.0.1:1/directory"),
            ("Piccolo:Remote:ProbeResolver", "fixed:127.0.0.1"));
        box.Engine.AddImage("localhost/web:1");
        using var owner = new Caller(box, "127.0.0.9");

        // The way in.
        await ByAsync("127.0.0.11", box, AuditKinds.SetUp, "crypto/setup", new { password = Password }, 200);
        await ByAsync("127.0.0.11", box, AuditKinds.SetUpFailed, "crypto/setup", new { password = Password }, 409);
        await ByAsync("127.0.0.12", box, AuditKinds.UnlockFailed, "crypto/unlock", new { password = Wrong }, 401);
        await ActAsync(owner, AuditKinds.Unlocked, Nobody, "POST", "crypto/unlock", 200, new { password = Password });
        await ByAsync("127.0.0.13", box, AuditKinds.LoginFailed, "auth/login", new { username = "admin", password = Wrong }, 401);
        await ActAsync(owner, AuditKinds.LoggedIn, Nobody, "POST", "auth/login", 200, new { username = "admin", password = Password });
        await ActAsync(owner, AuditKinds.PasswordChangeFailed, Owner, "POST", "auth/password", 401, new { old_password = Wrong, new_password = NewPassword });
        await ActAsync(owner, AuditKinds.TokenFailed, Owner, "POST", "auth/tokens", 401, new { name = "x", password = Wrong });
        await ActAsync(owner, AuditKinds.RecoveryKeyFailed, Owner, "POST", "crypto/recovery-key/generate", 401, new { password = Wrong });
        var token = await ActAsync(owner, AuditKinds.TokenCreated, Owner, "POST", "auth/tokens", 201, new { name = "script", password = Password });
        using var script = new Caller(box, "127.0.0.14", (string)token["token"]!);

        // Apps.
        await ActAsync(script, AuditKinds.AppInstalled, Token, "POST", "apps", 201, Manifest(8080));
        await ActAsync(script, AuditKinds.AppUpdated, Token, "POST", "apps", 200, Manifest(8081));
        await ActAsync(owner, AuditKinds.AppStopped, Owner, "POST", "apps/web/stop", 200);
        await ActAsync(owner, AuditKinds.AppStarted, Owner, "POST", "apps/web/start", 200);
        await ActAsync(script, AuditKinds.AppRemoved, Token, "DELETE", "apps/web", 200);
        box.Engine.PullGate = new TaskCompletionSource().Task;
        await ActAsync(script, AuditKinds.AppInstalled, Token, "POST", "apps", 201, Manifest(8082, "slow"));
        var slow = (await script.JsonAsync("GET", "jobs?subject=slow"))["jobs"]![0]!;
        await ActAsync(owner, AuditKinds.JobCancelled, Owner, "DELETE", $"jobs/{slow["id"]}", 200);

        // Remote access.
        await ActAsync(script, AuditKinds.RemoteConfigured, Token, "POST", "remote/configure", 200,
            new { endpoint = relay.HubUri.ToString(), device_secret = options.Secret, tld = "home.test", portal_hostname = "portal" });
        await ActAsync(script, AuditKinds.RemoteSecretFailed, Token, "POST", "remote/rotate", 422, new { device_secret = "canary-secret-wrong" });
        options.Secret = "canary-secret-2";
        await ActAsync(script, AuditKinds.RemoteSecretRotated, Token, "POST", "remote/rotate", 200, new { device_secret = options.Secret });
        await ActAsync(script, AuditKinds.RemoteAliasAdded, Token, "POST", "remote/aliases", 200, new { hostname = "www.elsewhere.test" });
        await ActAsync(script, AuditKinds.RemoteAliasRemoved, Token, "DELETE", "remote/aliases/alias:www.elsewhere.test", 200);
        var certificates = box.Services.GetRequiredService<CertificateInventory>();
        await RemoteBox.UntilAsync(certificates.Changed, () => certificates.Find("portal") is not null, "the portal's certificate is wanted");
        await ActAsync(owner, AuditKinds.CertificateRenewal, Owner, "POST", "remote/certificates/portal/renew", 200);
        await ActAsync(owner, AuditKinds.CertificateRekey, Owner, "POST", "remote/certificates/portal/rekey", 200);
        await ActAsync(owner, AuditKinds.RemoteDisabled, Owner, "POST", "remote/disable", 200);

        // Upkeep.
        var job = await ActAsync(script, AuditKinds.ExportStarted, Token, "POST", "exports/control", 202);
        await script.SendAsync("GET", $"jobs/{job["id"]}/events");
        var export = (string)(await script.JsonAsync("GET", $"jobs/{job["id"]}"))["result"]!;
        var file = await ActOnFileAsync(script, AuditKinds.ExportDownloaded, Token, $"exports/{export}/download");
        await ActAsync(script, AuditKinds.ExportDeleted, Token, "DELETE", $"exports/{export}", 200);
        box.Services.GetRequiredService<HealthTracker>().Latch(FaultCode.KeysetCorrupt, HealthComponents.Vault, "Latched by a test.");
        await ActAsync(owner, AuditKinds.FaultCleared, Owner, "POST", "system/faults/keyset_corrupt/clear", 200);

        // The ways out.
        await ActAsync(owner, AuditKinds.TokenRevoked, Owner, "DELETE", $"auth/tokens/{token["id"]}", 200);
        await ActAsync(owner, AuditKinds.SessionRevoked, Owner, "DELETE", "auth/sessions", 200);
        var words = (await ActAsync(owner, AuditKinds.RecoveryKeyRotated, Owner, "POST", "crypto/recovery-key/generate", 200,
            new { password = Password }))["words"]!.AsArray().Select(w => (string)w!);
        await ActAsync(owner, AuditKinds.StalenessAcknowledged, Owner, "POST", "auth/staleness/ack", 200, new { password = true });
        await ActAsync(owner, AuditKinds.PasswordChanged, Owner, "POST", "auth/password", 200, new { old_password = Password, new_password = NewPassword });
        await ActAsync(owner, AuditKinds.LoggedOut, Owner, "POST", "auth/logout", 200);
        await ByAsync("127.0.0.15", box, AuditKinds.ResetFailed, "crypto/reset-password", new { recovery_key = "zoo", new_password = Password }, 401);
        await ByAsync("127.0.0.16", box, AuditKinds.PasswordReset, "crypto/reset-password",
            new { recovery_key = string.Join(' ', words), new_password = Password }, 200);
        await ActAsync(owner, AuditKinds.LoggedIn, Nobody, "POST", "auth/login", 200, new { username = "admin", password = Password });
        await ActAsync(owner, AuditKinds.Locked, Owner, "POST", "crypto/lock", 200);
        Overflow(box);
        await ActAsync(owner, AuditKinds.Unlocked, Nobody, "POST", "crypto/unlock", 200, new { password = Password });

        Assert.That(await RecordAsync(owner), Is.EqualTo(_acts));
        await ImportAsync(file);
        Assert.That(Constants().Except(_acts.Select(a => a.Kind)), Is.Empty, "these kinds have no act here");
    }

    /// <summary>A box of its own: only one that nobody has claimed takes an import.</summary>
    private async Task ImportAsync(byte[] file)
    {
        await using var fresh = new TestAppliance();
        using var owner = new Caller(fresh, "127.0.0.17");
        var before = _acts.Count;
        await ActAsync(owner, AuditKinds.ImportRefused, Nobody, "POST", "exports/import", 400, Form(new byte[100]));
        await ActAsync(owner, AuditKinds.Imported, Nobody, "POST", "exports/import", 200, Form(file));
        await ActAsync(owner, AuditKinds.Unlocked, Nobody, "POST", "crypto/unlock", 200, new { password = Password });

        Assert.That((await RecordAsync(owner)).TakeLast(3), Is.EqualTo(_acts.Skip(before)));
    }

    /// <summary>More than can wait for a sealed store, and nothing of it is worth an act of its own.</summary>
    private void Overflow(TestAppliance box)
    {
        var audit = box.Services.GetRequiredService<AuditLog>();
        for (var i = 0; i <= AuditLog.MaxWaiting; i++)
            audit.Record(new AuditEvent(TimeProvider.System.GetUtcNow(), Filler, Nobody, "loopback", null, new Dictionary<string, string>()));
        _acts.Add((AuditKinds.Dropped, "appliance", "appliance", null));
    }

    private async Task ByAsync(string address, TestAppliance box, string kind, string path, object body, int status)
    {
        using var stranger = new Caller(box, address);
        await ActAsync(stranger, kind, Nobody, "POST", path, status, body);
    }

    private async Task<JsonNode> ActAsync(Caller caller, string kind, string actor, string method, string path, int status, object? body = null)
    {
        var (answered, content) = await caller.SendAsync(method, path, body);
        Assert.That(answered, Is.EqualTo(status), $"{kind}: {Encoding.UTF8.GetString(content)}");
        _acts.Add((kind, actor, "loopback", caller.Address));
        return JsonNode.Parse(content)!;
    }

    private async Task<byte[]> ActOnFileAsync(Caller caller, string kind, string actor, string path)
    {
        var (status, content) = await caller.SendAsync("GET", path);
        Assert.That(status, Is.EqualTo(200), kind);
        _acts.Add((kind, actor, "loopback", caller.Address));
        return content;
    }

    private static async Task<IReadOnlyList<(string, string, string, string?)>> RecordAsync(Caller owner)
    {
        var page = await owner.JsonAsync("GET", "system/audit?limit=500");
        Assert.That(page.ToJsonString(), Does.Not.Contain("canary").And.Not.Contain(Password).And.Not.Contain(NewPassword));
        return [.. page["entries"]!.AsArray().Reverse().Select(e => ((string)e!["kind"]!, (string)e["actor"]!, (string)e["origin"]!, (string?)e["address"]))
            .Where(e => e.Item1 != Filler)];
    }

    private static IEnumerable<string> Constants() =>
        typeof(AuditKinds).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!);

    private static StringContent Manifest(int port, string app = "web") => new(
        $"name: {app}\nimage: localhost/{app}:1\nlisteners:\n  - {{ name: {app}, guest_port: {port}, protocol: http }}\n", Encoding.UTF8,
        "application/yaml");

    private static MultipartFormDataContent Form(byte[] file) =>
        new() { { new StringContent(Password), "password" }, { new ByteArrayContent(file), "file", "export.piccolo" } };
}
