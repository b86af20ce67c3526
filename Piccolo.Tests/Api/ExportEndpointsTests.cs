using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api;

/// <summary>Jobs, exports and import over HTTP.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class ExportEndpointsTests
{
    private const string Manifest = """
        name: web
        image: registry.test/web:1
        listeners:
          - name: web
            guest_port: 80
            flow: tcp
            protocol: http
        """;

    [Test]
    public async Task Export_DownloadedAndImportedOnAFreshBox_BringsTheAppsBack()
    {
        await using var first = await new TestAppliance().OwnedAsync();
        await first.Api.InstallAsync(Manifest);
        await first.Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = "wss://relay.invalid",
            device_secret = "secret",
            tld = "home.test",
            portal_hostname = "portal",
        });
        var job = await FinishAsync(first, await first.Api.PostAsync("/api/v1/exports/full"));
        Assert.That((string?)job["state"], Is.EqualTo("succeeded"), job.ToJsonString());
        var listed = (await first.Api.GetAsync("/api/v1/exports"))["exports"]!.AsArray().Single()!;
        Assert.That((string?)listed["id"], Is.EqualTo((string?)job["result"]));
        Assert.That((listed["volumes"]!.ToJsonString(), listed["left_out"]!.ToJsonString()), Is.EqualTo(("[]", "[]")));
        using var download = await first.SendAsync(HttpMethod.Get, (string)listed["download"]!);
        var bytes = await download.Content.ReadAsByteArrayAsync();
        Assert.That(bytes, Has.Length.EqualTo((long)listed["bytes"]!));

        await using var second = new TestAppliance();
        var imported = await ImportAsync(second, TestAppliance.Password, bytes);

        Assert.That((string?)imported["warning"], Does.Contain("same names"));
        Assert.That((int?)imported["volumes"], Is.Zero);
        Assert.That((bool)(await second.Api.GetAsync("/api/v1/crypto/status"))["locked"]!, Is.True);
        await second.Api.UnlockAsync(TestAppliance.Password);
        Assert.That((string?)(await second.Api.GetAsync("/api/v1/apps"))["data"]!.AsArray().Single()!["name"], Is.EqualTo("web"));
        Assert.That((string?)(await second.Api.GetAsync("/api/v1/remote/status"))["tld"], Is.EqualTo("home.test"));
        var audit = (await second.Api.GetAsync("/api/v1/system/audit"))["entries"]!.AsArray().Select(e => (string)e!["kind"]!).ToList();
        Assert.That(audit, Does.Contain("app.installed").And.Contain("export.imported"), "the log came along, and goes on");
        using var again = await SendImportAsync(second, TestAppliance.Password, bytes);
        Assert.That((int)again.StatusCode, Is.EqualTo(409));
    }

    [Test]
    public async Task Download_Range_IsServed()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        var job = await FinishAsync(appliance, await appliance.Api.PostAsync("/api/v1/exports/control"));
        var path = $"/api/v1/exports/{job["result"]}/download";
        using var whole = await appliance.SendAsync(HttpMethod.Get, path);
        using var part = await appliance.SendAsync(HttpMethod.Get, path, change: r => r.Headers.Range = new RangeHeaderValue(16, 21));

        Assert.That(part.StatusCode, Is.EqualTo(HttpStatusCode.PartialContent));
        Assert.That(await part.Content.ReadAsByteArrayAsync(), Is.EqualTo((await whole.Content.ReadAsByteArrayAsync())[16..22]));
        using var beyond = await appliance.SendAsync(HttpMethod.Get, path, change: r => r.Headers.Range = new RangeHeaderValue(1L << 40, null));
        Assert.That(beyond.StatusCode, Is.EqualTo(HttpStatusCode.RequestedRangeNotSatisfiable));
        var audit = (await appliance.Api.GetAsync("/api/v1/system/audit"))["entries"]!.AsArray();
        Assert.That(audit.Count(e => (string?)e!["kind"] == "export.downloaded"), Is.EqualTo(2), "the whole, and the first of the pieces");
        foreach (var (condition, status) in (IEnumerable<(string, int)>)[("\"x\"", 200), ($"W/\"{job["result"]}\"", 200), ($"\"{job["result"]}\"", 206),
            ("Sat, 01 Jan 2000 00:00:00 GMT", 200)])
        {
            using var conditional = await appliance.SendAsync(HttpMethod.Get, path, change: r =>
            {
                r.Headers.Range = new RangeHeaderValue(16, 21);
                r.Headers.TryAddWithoutValidation("If-Range", condition);
            });
            Assert.That((int)conditional.StatusCode, Is.EqualTo(status), condition);
        }
        using var deleted = await appliance.SendAsync(HttpMethod.Delete, $"/api/v1/exports/{job["result"]}");
        Assert.That(deleted.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        using var gone = await appliance.SendAsync(HttpMethod.Get, path);
        Assert.That(gone.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Events_OfAJob_EndWithItsLastState()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        var job = await appliance.Api.PostAsync("/api/v1/exports/control");
        using var response = await appliance.SendAsync(HttpMethod.Get, $"/api/v1/jobs/{job["id"]}/events");
        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/event-stream"));

        var events = (await response.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(20))).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);

        Assert.That(events[^1], Does.StartWith("event: ended").And.Contain("\"state\":\"succeeded\""));
        Assert.That((await appliance.Api.GetAsync("/api/v1/jobs"))["jobs"]!.AsArray(), Has.Count.EqualTo(1));
        using var unknown = await appliance.SendAsync(HttpMethod.Get, "/api/v1/jobs/nobody/events");
        Assert.That((int)unknown.StatusCode, Is.EqualTo(404));
    }

    [Test]
    public async Task Exports_WithoutASession_AreClosed()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        var job = await FinishAsync(appliance, await appliance.Api.PostAsync("/api/v1/exports/control"));
        await using var stranger = new StrangerClient(appliance);

        foreach (var path in (string[])["/api/v1/exports", $"/api/v1/exports/{job["result"]}/download", "/api/v1/jobs", "/api/v1/system/audit"])
        {
            using var refused = await stranger.GetAsync(path);
            Assert.That((int)refused.StatusCode, Is.EqualTo(401), path);
        }
    }

    [Test]
    public async Task Import_BadForms_AreClearProblemsAndWriteNothing()
    {
        await using var fresh = new TestAppliance();
        var before = Directory.GetFileSystemEntries(fresh.StateDirectory);
        await AssertRefusedAsync(fresh, new StringContent("x"), 415, "unsupported_media_type");
        await AssertRefusedAsync(fresh, new MultipartFormDataContent { { new ByteArrayContent([1]), "file", "x" } }, 400, "invalid_form");
        await AssertRefusedAsync(fresh, new MultipartFormDataContent { { new StringContent("pw"), "password" } }, 400, "invalid_form");
        await AssertRefusedAsync(fresh, new MultipartFormDataContent { { new StringContent(new string('x', 5000)), "password" },
            { new ByteArrayContent([1]), "file", "x" } }, 400, "invalid_form");
        await AssertRefusedAsync(fresh, Form("pw", new byte[100]), 400, "not_an_export");
        await AssertRefusedAsync(fresh, Form("pw", new byte[3_000_000]), 400, "not_an_export");
        using (var foreign = await fresh.SendAsync(HttpMethod.Post, "/api/v1/exports/import", Form("pw", [1]),
            r => r.Headers.Add("Origin", "https://evil.example")))
            Assert.That((int)foreign.StatusCode, Is.EqualTo(403));

        Assert.That(Directory.GetFileSystemEntries(fresh.StateDirectory), Is.EquivalentTo(before));
        Assert.That((bool)(await fresh.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!, Is.False);
    }

    [Test]
    public async Task Import_WhereASetupCodeIsRequired_NeedsIt()
    {
        await using var first = await new TestAppliance().OwnedAsync();
        var job = await FinishAsync(first, await first.Api.PostAsync("/api/v1/exports/control"));
        using var download = await first.SendAsync(HttpMethod.Get, $"/api/v1/exports/{job["result"]}/download");
        var bytes = await download.Content.ReadAsByteArrayAsync();
        await using var image = new TestAppliance(settings: ("Piccolo:Vault:RequireSetupCode", "true"));
        var code = image.Log.Entries.Single(e => e.Message.Contains("set-up code", StringComparison.Ordinal)).Message[^9..];

        await AssertRefusedAsync(image, Form(TestAppliance.Password, bytes), 403, "wrong_setup_code");
        await AssertRefusedAsync(image, Form(TestAppliance.Password, bytes, "0000-0000"), 403, "wrong_setup_code");
        Assert.That((bool)(await image.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!, Is.False);
        using var imported = await image.SendAsync(HttpMethod.Post, "/api/v1/exports/import", Form(TestAppliance.Password, bytes, code));
        Assert.That((int)imported.StatusCode, Is.EqualTo(200), await imported.Content.ReadAsStringAsync());
        Assert.That((bool)(await image.Api.GetAsync("/api/v1/crypto/status"))["locked"]!, Is.True);
    }

    [Test]
    public async Task Import_SetupCodeGuessed_IsLimited()
    {
        await using var image = new TestAppliance(settings: ("Piccolo:Vault:RequireSetupCode", "true"));
        for (var i = 0; i < 4; i++) await AssertRefusedAsync(image, Form("pw", new byte[100], $"0000-000{i}"), 403, "wrong_setup_code");

        await AssertRefusedAsync(image, Form("pw", new byte[100], "0000-0009"), 429, "too_many_attempts");
    }

    [TestCase("harbour kettle violin mosaic\n", "harbour kettle violin mosaic\n", 200)]
    [TestCase("harbour kettle violin mosaic", "harbour kettle violin mosaic\r\n", 200)]
    [TestCase("harbour kettle violin mosaic\n", "harbour kettle violin mosaic", 401)]
    public async Task Import_PasswordWithANewline_IsTheOneThatWasSet(string password, string sent, int status)
    {
        await using var first = new TestAppliance();
        await first.Api.SetUpAsync(password);
        await first.Api.UnlockAsync(password);
        await first.Api.TakeTokenAsync("test");
        var bytes = await ExportAsync(first);
        await using var fresh = new TestAppliance();

        using var imported = await SendImportAsync(fresh, sent, bytes);

        Assert.That((int)imported.StatusCode, Is.EqualTo(status), await imported.Content.ReadAsStringAsync());
    }

    [Test]
    public async Task Import_PasswordGuessed_IsLimited()
    {
        await using var first = await new TestAppliance().OwnedAsync();
        var bytes = await ExportAsync(first);
        await using var fresh = new TestAppliance();

        for (var i = 0; i < 4; i++) await AssertRefusedAsync(fresh, Form("wrong", bytes), 401, "wrong_password");
        await AssertRefusedAsync(fresh, Form(TestAppliance.Password, bytes), 429, "too_many_attempts");
        await AssertRefusedAsync(fresh, Form("wrong", new byte[100]), 400, "not_an_export");
        Assert.That((bool)(await fresh.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!, Is.False);
    }

    [TestCase(1024, 3)]
    [TestCase(1024, 16)]
    [TestCase(256, 16)]
    public async Task Import_HeaderOfAGreatCost_IsRefusedBeforeItIsPaid(int memoryMiB, int iterations)
    {
        await using var first = await new TestAppliance().OwnedAsync();
        var keySet = (await File.ReadAllTextAsync(Path.Combine(first.StateDirectory, "keyset.json")))
            .Replace("\"memory_mib\": 64", $"\"memory_mib\": {memoryMiB}", StringComparison.Ordinal)
                .Replace("\"iterations\": 2", $"\"iterations\": {iterations}", StringComparison.Ordinal);
        var (hostile, _) = new Piccolo.Core.Exports.ExportHeader
        {
            Kind = Piccolo.Core.Exports.ExportKind.Control,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Instance = "other",
            Revision = 1,
            MinReader = 1,
            Kdf = "argon2id",
            Salt = new byte[32],
            KeySet = System.Text.Encoding.UTF8.GetBytes(keySet),
        }.Write();
        await using var fresh = new TestAppliance();

        await AssertRefusedAsync(fresh, Form("any", hostile), 400, "export_too_costly");
        await using var dearer = new TestAppliance(settings: [("Piccolo:Vault:Kdf:MemoryMiB", "1024"), ("Piccolo:Vault:Kdf:Iterations", "16")]);
        if (iterations == 3) await AssertRefusedAsync(dearer, Form("any", hostile), 401, "wrong_password");
    }

    [Test]
    public async Task Import_OtherBodies_KeepTheSmallLimit()
    {
        await using var fresh = new TestAppliance();
        using var refused = await fresh.SendAsync(HttpMethod.Post, "/api/v1/crypto/setup", new ByteArrayContent(new byte[2_000_000]));

        Assert.That((int)refused.StatusCode, Is.EqualTo(413));
    }

    private static async Task<byte[]> ExportAsync(TestAppliance appliance)
    {
        var job = await FinishAsync(appliance, await appliance.Api.PostAsync("/api/v1/exports/control"));
        using var download = await appliance.SendAsync(HttpMethod.Get, $"/api/v1/exports/{job["result"]}/download");
        return await download.Content.ReadAsByteArrayAsync();
    }

    private static async Task AssertRefusedAsync(TestAppliance appliance, HttpContent body, int status, string code)
    {
        using var response = await appliance.SendAsync(HttpMethod.Post, "/api/v1/exports/import", body);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.That((int)response.StatusCode, Is.EqualTo(status), problem.ToJsonString());
        Assert.That((string?)problem["code"], Is.EqualTo(code));
    }

    private static async Task<JsonNode> ImportAsync(TestAppliance appliance, string password, byte[] file)
    {
        using var response = await SendImportAsync(appliance, password, file);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        return JsonNode.Parse(text)!;
    }

    private static Task<HttpResponseMessage> SendImportAsync(TestAppliance appliance, string password, byte[] file) =>
        appliance.SendAsync(HttpMethod.Post, "/api/v1/exports/import", Form(password, file));

    private static MultipartFormDataContent Form(string password, byte[] file, string? code = null)
    {
        var form = new MultipartFormDataContent { { new StringContent(password), "password" } };
        if (code is not null) form.Add(new StringContent(code), "setup_code");
        form.Add(new ByteArrayContent(file), "file", "export.piccolo");
        return form;
    }

    private static async Task<JsonNode> FinishAsync(TestAppliance appliance, JsonNode job)
    {
        using var events = await appliance.SendAsync(HttpMethod.Get, $"/api/v1/jobs/{job["id"]}/events");
        await events.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return await appliance.Api.GetAsync($"/api/v1/jobs/{job["id"]}");
    }
}
