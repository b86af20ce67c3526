using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Ingress.Transports.Tunnel;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.Forwarding;

namespace Piccolo.Tests.Api.Http;

/// <summary>
/// What clients say of themselves in header fields that a proxy would set, said to the portal and the API: nothing that counts follows it. (What apps are
/// told is <see cref="ForwardingRulesTests"/>'.)
/// </summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class ForgedHeadersTests
{
    private const string Forged = "203.0.113.9";
    private const string Wrong = "not the password";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private TestAppliance _appliance = null!;

    [SetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task ForwardedFields_OnTheLan_AuditAndSessionsTellTheTrueAddressAndOrigin()
    {
        using var caller = Forging("127.0.0.21", Forged);
        Assert.That(await caller.StatusAsync("POST", "auth/login", new { username = "admin", password = Wrong }), Is.EqualTo(401));
        Assert.That(await caller.StatusAsync("POST", "crypto/unlock", new { password = TestAppliance.Password }), Is.EqualTo(200));

        var entries = (await caller.JsonAsync("GET", "system/audit?limit=2"))["entries"]!.AsArray();
        var session = (await caller.JsonAsync("GET", "auth/sessions"))["sessions"]!.AsArray().Single(s => (bool)s!["current"]!)!;

        Assert.That(entries.Select(e => ((string?)e!["kind"], (string?)e["address"], (string?)e["origin"])),
            Is.EqualTo(new[] { ("vault.unlocked", caller.Address, "loopback"), ("auth.login_failed", caller.Address, "loopback") }));
        Assert.That(((string?)session["address"], (string?)session["origin"]), Is.EqualTo((caller.Address, "local")));
    }

    [Test]
    public async Task ForwardedProto_InClearText_MakesNoSecureCookieAndNoHsts()
    {
        using var http = Plain();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/crypto/unlock")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { password = TestAppliance.Password }),
        };
        Forge(request.Headers, Forged);

        using var response = await http.SendAsync(request);

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That(response.Headers.GetValues("Set-Cookie").Single(), Does.StartWith("piccolo_session=").And.Not.Contain("secure").IgnoreCase);
        Assert.That(response.Headers.Contains("Strict-Transport-Security"), Is.False);
    }

    [Test]
    public async Task ForwardedHost_DecidesNeitherHostNorRedirect()
    {
        using var ca = new TestCa();
        using var visitor = TunnelVisitor.Of(_appliance, ca);

        using var lan = Plain();
        using var remote = RemotePort80();

        Assert.That((await AskAsync(lan, "localhost", "evil.example")).Status, Is.EqualTo(200));
        Assert.That((await AskAsync(lan, "evil.example", "localhost")).Status, Is.EqualTo(421), "the list is asked about the Host that counts");
        var redirect = await AskAsync(remote, TunnelVisitor.Portal.Value, "evil.example", "/page?a=b");
        Assert.That(redirect, Is.EqualTo((308, $"https://{TunnelVisitor.Portal}/page?a=b")));
    }

    [Test]
    public async Task ForwardedHost_OfAForeignPage_IsNotItsOwnOrigin()
    {
        using var http = Plain();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/crypto/unlock")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { password = TestAppliance.Password }),
        };
        request.Headers.Add("Origin", "https://evil.example");
        Forge(request.Headers, Forged, host: "evil.example");

        using var response = await http.SendAsync(request);

        Assert.That((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["code"], Is.EqualTo("cross_origin"));
    }

    [Test]
    public async Task ForwardedFor_AnotherOneEachTime_GetsNoMoreGuesses()
    {
        for (var i = 0; i < 4; i++)
        {
            using var guess = Forging("127.0.0.22", $"203.0.113.{i}");
            Assert.That(await guess.StatusAsync("POST", "crypto/unlock", new { password = $"{Wrong} {i}" }), Is.EqualTo(401));
        }

        using var late = Forging("127.0.0.22", "203.0.113.200");
        Assert.That(await late.StatusAsync("POST", "crypto/unlock", new { password = TestAppliance.Password }), Is.EqualTo(429));
        using var other = Forging("127.0.0.23", "203.0.113.0");
        Assert.That(await other.StatusAsync("POST", "crypto/unlock", new { password = TestAppliance.Password }), Is.EqualTo(200),
            "nor does a forged address hold up its true owner");
    }

    [Test]
    public async Task ForwardedFields_ThroughTheRelay_BringNobodyNearer()
    {
        using var ca = new TestCa();
        using var visitor = TunnelVisitor.Of(_appliance, ca);
        Forge(visitor.DefaultRequestHeaders, "127.0.0.1", proto: "http", host: "localhost");

        using var metrics = await visitor.GetAsync(new Uri("/metrics", UriKind.Relative));
        using var version = await visitor.GetAsync(new Uri("/version", UriKind.Relative));
        using var refused = await visitor.PostAsync(new Uri("/api/v1/crypto/unlock", UriKind.Relative),
            System.Net.Http.Json.JsonContent.Create(new { password = Wrong }));
        using var unlocked = await visitor.PostAsync(new Uri("/api/v1/crypto/unlock", UriKind.Relative),
            System.Net.Http.Json.JsonContent.Create(new { password = TestAppliance.Password }));

        Assert.That((int)metrics.StatusCode, Is.EqualTo(401), "metrics are for this machine");
        Assert.That(JsonNode.Parse(await version.Content.ReadAsStringAsync())!["device"], Is.Null, "the device certificate is the own network's affair");
        Assert.That(unlocked.Headers.GetValues("Set-Cookie").Single(), Does.StartWith("__Host-piccolo_session=").And.Contain("secure"));
        Assert.That(unlocked.Headers.GetValues("Strict-Transport-Security").Single(), Is.EqualTo("max-age=31536000"));
        var entry = (await _appliance.Api.GetAsync("/api/v1/system/audit?limit=2"))["entries"]![1]!;
        Assert.That(((string?)entry["kind"], (string?)entry["origin"], (string?)entry["address"]),
            Is.EqualTo(("vault.unlock_failed", "tunnel", "198.51.100.7")));
    }

    [TestCase("PROXY TCP4 203.0.113.9 127.0.0.1 50000 80\r\n")]
    [TestCase("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x7f\0\0\x01\xc3\x50\0\x50")]
    public async Task ProxyHeader_FromNobodyWhoMay_IsNoRequest(string header)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _appliance.HttpPort);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(header + "GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);

        var answer = await reader.ReadToEndAsync().WaitAsync(Limit);

        Assert.That(answer, Is.Empty.Or.StartsWith("HTTP/1.1 400"));
    }

    private Caller Forging(string from, string forged)
    {
        var caller = new Caller(_appliance, from);
        Forge(caller.Always, forged);
        return caller;
    }

    private static void Forge(System.Net.Http.Headers.HttpRequestHeaders headers, string address, string proto = "https", string host = "evil.example")
    {
        foreach (var name in (string[])["X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP"])
            headers.Add(name, address);
        foreach (var name in (string[])["X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Url-Scheme"]) headers.Add(name, proto);
        foreach (var name in (string[])["X-Forwarded-Host", "X-Original-Host", "X-Host"]) headers.Add(name, host);
        headers.Add("Front-End-Https", proto == "https" ? "on" : "off");
        headers.Add("Forwarded", $"for={address};proto={proto};host={host}");
    }

    private HttpClient Plain() =>
        new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{_appliance.HttpPort}"),
            Timeout = Limit,
        };

    /// <summary>A stranger's request in clear text, by the relay's port 80.</summary>
    private HttpClient RemotePort80()
    {
        var streams = _appliance.Services.GetRequiredService<TunnelStreamQueues>();
        return new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = (_, _) =>
            {
                var stream = new FakeTunnelStream("t/2", TunnelVisitor.Portal.Value, 80, isTls: false, IPEndPoint.Parse("198.51.100.7:50000"));
                Assert.That(streams.TryAdd(stream), Is.True);
                return ValueTask.FromResult(stream.User);
            },
        })
        { BaseAddress = new Uri($"http://{TunnelVisitor.Portal}"), Timeout = Limit };
    }

    private static async Task<(int Status, string? Location)> AskAsync(HttpClient http, string host, string forgedHost, string path = "/api/v1/health/live")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = host;
        Forge(request.Headers, Forged, host: forgedHost);
        using var response = await http.SendAsync(request);
        return ((int)response.StatusCode, response.Headers.Location?.OriginalString);
    }
}
