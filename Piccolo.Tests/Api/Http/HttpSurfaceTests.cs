using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Api.Http;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Http;

/// <summary>What a client meets before any handler: shapes of errors, order of the guards, limits.</summary>
internal sealed class HttpSurfaceTests
{
    private TestAppliance _fresh = null!;
    private TestAppliance _owned = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _fresh = new TestAppliance();
        _owned = await new TestAppliance().OwnedAsync();
    }

    [OneTimeTearDown]
    public async Task TearDown()
    {
        await _fresh.DisposeAsync();
        await _owned.DisposeAsync();
    }

    [Test]
    public async Task NotSetUp_GuardedRoute_Is423SetupRequired() => await ExpectAsync(_fresh, HttpMethod.Get, "/api/v1/apps", 423, "setup_required");

    [Test]
    public async Task NotSetUp_Unlock_Is423SetupRequired() =>
        await ExpectAsync(_fresh, HttpMethod.Post, "/api/v1/crypto/unlock", 423, "setup_required", JsonContent.Create(new { password = "x" }));

    [Test]
    public async Task UnknownPath_Is404Json() => await ExpectAsync(_owned, HttpMethod.Get, "/api/v1/nothing", 404, "not_found");

    [Test]
    public async Task WrongMethod_Is405WithAllow()
    {
        using var response = await ExpectAsync(_owned, HttpMethod.Put, "/api/v1/apps", 405, "method_not_allowed");

        Assert.That(response.Content.Headers.Allow, Is.EquivalentTo(new[] { "GET", "HEAD", "POST" }));
    }

    [Test]
    public async Task AnnouncedLargeBody_Is413BeforeAnythingElse()
    {
        using var response = await _fresh.SendAsync(
            HttpMethod.Post, "/api/v1/apps", new ByteArrayContent(new byte[BodyLimit.Bytes + 1]), r => r.Headers.ExpectContinue = true);

        await ExpectProblemAsync(response, 413, "payload_too_large");
    }

    [Test]
    public async Task ChunkedLargeBody_Is413()
    {
        // One byte too many: what the server does not read fits into the socket, so that the client can send all of it and hear the answer.
        var content = new StreamContent(new EndlessStream((int)BodyLimit.Bytes + 1));
        content.Headers.ContentType = new("application/yaml");
        using var response = await _owned.SendAsync(HttpMethod.Post, "/api/v1/apps", content, r => r.Headers.TransferEncodingChunked = true);

        Assert.That((int)response.StatusCode, Is.EqualTo(413));
    }

    [TestCase("/api/v1/apps")]
    [TestCase("/api/v1/services")]
    [TestCase("/api/v1/remote/status")]
    [TestCase("/api/v1/remote/certificates")]
    public async Task NoSession_Is401(string path)
    {
        await using var stranger = new StrangerClient(_owned);
        using var response = await stranger.GetAsync(path);

        await ExpectProblemAsync(response, 401, "unauthorized");
        Assert.That(response.Headers.WwwAuthenticate.ToString(), Is.EqualTo("Bearer"));
    }

    [TestCase("{", "invalid_json")]
    [TestCase("[]", "invalid_json")]
    [TestCase("null", "invalid_json")]
    [TestCase("\"text\"", "invalid_json")]
    [TestCase("{}", "invalid_request")]
    [TestCase("""{"password":""}""", "invalid_request")]
    [TestCase("""{"password":5}""", "invalid_json")]
    public async Task HostileJson_Is400WithACode(string body, string code) =>
        await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/crypto/unlock", 400, code, new StringContent(body, Encoding.UTF8, "application/json"));

    [Test]
    public async Task DeeplyNestedJson_Is400() => await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/crypto/unlock", 400, "invalid_json",
        new StringContent(new string('[', 100_000), Encoding.UTF8, "application/json"));

    [Test]
    public async Task PreLoginPost_AsAForm_Is415() =>
        await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/crypto/unlock", 415, "unsupported_media_type",
            new StringContent("password=x", Encoding.UTF8, "application/x-www-form-urlencoded"));

    [Test]
    public async Task PreLoginPost_FromAnotherSite_Is403() => await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/auth/login", 403, "cross_origin",
        JsonContent.Create(new { username = "admin", password = TestAppliance.Password }), r => r.Headers.Add("Origin", "https://evil.example"));

    [Test]
    public async Task ForeignHostHeader_Is421()
    {
        using var response = await _owned.SendAsync(HttpMethod.Get, "/api/v1/health/ready", change: r => r.Headers.Host = "rebound.example");

        Assert.That((int)response.StatusCode, Is.EqualTo(421));
    }

    [Test]
    public async Task Manifest_WithSeveralErrors_TellsAllAtOnce()
    {
        using var response = await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/apps", 400, "invalid_manifest",
            new StringContent("name: Bad Name\nlisteners:\n  - name: WEB\n    guest_port: 99999\n", Encoding.UTF8, "application/yaml"));
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

        Assert.That(problem["errors"]!.AsObject().Select(e => e.Key), Is.SupersetOf(new[] { "name", "image", "listeners[0].name", "listeners[0].guest_port" }));
        Assert.That((string?)problem["error"], Is.EqualTo((string?)problem["title"]));
        Assert.That((string?)problem["message"], Is.EqualTo((string?)problem["detail"]));
    }

    [TestCase("text/plain")]
    [TestCase("application/json")]
    public async Task Manifest_OtherContentType_Is415(string type) =>
        await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/apps", 415, "unsupported_media_type", new StringContent("name: x", Encoding.UTF8, type));

    [Test]
    public async Task RemoteConfigure_Dns01_Is400SolverUnsupported() =>
        await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/remote/configure", 400, "solver_unsupported",
        JsonContent.Create(new { endpoint = "wss://relay.test", device_secret = "s", solver = "dns-01", tld = "home.test", portal_hostname = "portal" }));

    [TestCase("http://relay.test", "s", "home.test", "portal", "endpoint")]
    [TestCase("wss://user@relay.test", "s", "home.test", "portal", "endpoint")]
    [TestCase("wss://relay.test", "", "home.test", "portal", "device_secret")]
    [TestCase("wss://relay.test", "s", "home", "portal", "tld")]
    [TestCase("wss://relay.test", "s", "ho me.test", "portal", "tld")]
    [TestCase("wss://relay.test", "s", "home.test", "portal.other.test", "portal_hostname")]
    public async Task RemoteConfigure_BadField_IsNamed(string endpoint, string secret, string domain, string portal, string field)
    {
        using var response = await ExpectAsync(_owned, HttpMethod.Post, "/api/v1/remote/configure", 400, "invalid_request",
            JsonContent.Create(new { endpoint, device_secret = secret, tld = domain, portal_hostname = portal }));

        Assert.That(JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]!.AsObject().Select(e => e.Key), Does.Contain(field));
    }

    [Test]
    public async Task Answers_CarryNoBanner()
    {
        using var response = await _owned.SendAsync(HttpMethod.Get, "/api/v1/health/live");

        Assert.That(response.Headers.Contains("Server"), Is.False);
        Assert.That(response.Headers.Contains("X-Powered-By"), Is.False);
    }

    [TestCase("/")]
    [TestCase("/api/v1/apps")]
    public async Task PortalAndApi_AreServedWithAStrictPolicy(string path)
    {
        using var response = await _owned.SendAsync(HttpMethod.Get, path);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(response.Headers.GetValues("Content-Security-Policy").Single(), Does.Contain("default-src 'self'").And.Not.Contain("unsafe"));
    }

    private static async Task<HttpResponseMessage> ExpectAsync(
        TestAppliance appliance, HttpMethod method, string path, int status, string code, HttpContent? content = null,
        Action<HttpRequestMessage>? change = null)
    {
        var response = await appliance.SendAsync(method, path, content, change);
        await ExpectProblemAsync(response, status, code);
        return response;
    }

    private static async Task ExpectProblemAsync(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(status), text);
        Assert.That(response.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That((string?)JsonNode.Parse(text)!["code"], Is.EqualTo(code));
    }

    private sealed class EndlessStream(int length) : MemoryStream(new byte[length])
    {
        public override bool CanSeek => false;
    }
}
