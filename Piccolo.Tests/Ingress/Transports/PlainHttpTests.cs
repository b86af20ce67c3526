using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Transports;

internal sealed class PlainHttpTests
{
    private FrontDoor _door = null!;
    private HttpClient _client = null!;

    [SetUp]
    public async Task SetUp()
    {
        _door = await StartAsync(new() { ["AllowedHosts:0"] = "box.example.test" });
        _client = _door.ClientFor(_door.HttpPort);
    }

    [TearDown]
    public async Task TearDown()
    {
        _client.Dispose();
        await _door.DisposeAsync();
    }

    [TestCase("localhost")]
    [TestCase("127.0.0.1")]
    [TestCase("[::1]")]
    [TestCase("piccolo.local")]
    [TestCase("PICCOLO.LOCAL.")]
    [TestCase("box.example.test")]
    [TestCase("portal.home.test")]
    public async Task Portal_UnderANameOfItsOwn_Answers(string host)
    {
        _door.PublishPortal();

        Assert.That(await _client.GetStringAsync($"http://{host}:8080/"), Is.EqualTo(PortalBody));
    }

    [TestCase("evil.example")]
    [TestCase("203.0.113.9")]
    [TestCase("local")]
    [TestCase("localhost.evil.example")]
    public async Task Portal_UnderAForeignName_IsMisdirected(string host)
    {
        using var response = await _client.GetAsync($"http://{host}/api/v1/crypto/status");
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.MisdirectedRequest));
        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That(problem.RootElement.EnumerateObject().Select(p => p.Name),
            Is.EqualTo(new[] { "type", "title", "status", "detail", "code", "error", "message" }));
        Assert.That(problem.RootElement.GetProperty("code").GetString(), Is.EqualTo("misdirected_request"));
    }

    [Test]
    public async Task App_WithCertificate_RedirectsToHttps()
    {
        _door.PublishApp("web", 1);

        using var response = await _client.GetAsync("http://web.home.test/a%20b/?q=%2F&r=1");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.PermanentRedirect));
        Assert.That(response.Headers.Location!.OriginalString, Is.EqualTo("https://web.home.test/a%20b/?q=%2F&r=1"));
    }

    [Test]
    public async Task App_WithoutCertificate_AsksForPatience()
    {
        _door.PublishApp("web", 1, withCertificate: false);

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://web.home.test/");
        request.Headers.TryAddWithoutValidation("Accept", "text/html");

        using var response = await _client.SendAsync(request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/html"));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public async Task App_LedByAnotherNode_RedirectsWithoutACertificateOfOurs()
    {
        _door.Publish(new Route.Leader(DomainName.Parse("web.home.test"), Listener("web", 1, remotePorts: [80, 8443]), null), withCertificate: false);

        using var response = await _client.GetAsync("http://web.home.test/x");

        Assert.That(response.Headers.Location!.OriginalString, Is.EqualTo("https://web.home.test:8443/x"));
    }

    [TestCase(ListenerFlow.Tls, ListenerProtocol.Http)]
    [TestCase(ListenerFlow.Tcp, ListenerProtocol.Raw)]
    public async Task App_ThatIsNotHttp_IsNotServedInClearText(ListenerFlow flow, ListenerProtocol protocol)
    {
        _door.PublishApp("own", 1, flow, protocol);

        using var response = await _client.GetAsync("http://own.home.test/");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(response.Headers.ConnectionClose, Is.True);
    }

    [Test]
    public async Task App_ThatDoesNotDeclarePort80_IsNotServedInClearText()
    {
        _door.Publish(new Route.App(DomainName.Parse("web.home.test"), Listener("web", 1, remotePorts: [443])));

        using var response = await _client.GetAsync("http://web.home.test/");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [TestCase("web.home.test")]
    [TestCase("WEB.home.test.")]
    public async Task Challenge_Pending_IsAnsweredBeforeTheRedirect(string host)
    {
        _door.PublishApp("web", 1);
        using var presented = _door.Challenges.Present(DomainName.Parse("web.home.test"), "tok_en-1", "tok_en-1.thumbprint");

        using var response = await _client.GetAsync($"http://{host}/.well-known/acme-challenge/tok_en-1");
        using var head = await _client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"http://{host}/.well-known/acme-challenge/tok_en-1"));

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("tok_en-1.thumbprint"));
        Assert.That((head.StatusCode, head.Content.Headers.ContentLength), Is.EqualTo((HttpStatusCode.OK, (long?)19)));
    }

    [TestCase("web.home.test", "other")]
    [TestCase("other.home.test", "token")]
    [TestCase("web.home.test", "token/")]
    [TestCase("web.home.test", "%74oken%2f..")]
    [TestCase("web.home.test", "")]
    public async Task Challenge_NotPendingForThisHost_IsNotFoundAndNotRedirected(string host, string token)
    {
        _door.PublishApp("web", 1);
        using var presented = _door.Challenges.Present(DomainName.Parse("web.home.test"), "token", "token.thumbprint");

        using var response = await _client.GetAsync($"http://{host}/.well-known/acme-challenge/{token}");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Challenge_Posted_IsNotAllowed()
    {
        using var presented = _door.Challenges.Present(DomainName.Parse("web.home.test"), "token", "token.thumbprint");

        using var response = await _client.PostAsync("http://web.home.test/.well-known/acme-challenge/token", null);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
        Assert.That(response.Content.Headers.Allow, Is.EquivalentTo(new[] { "GET", "HEAD" }));
    }

    [Test]
    public async Task Challenge_OverTls_IsTheAppsBusiness()
    {
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("the app's own"));
        _door.PublishApp("web", app.Port);
        using var presented = _door.Challenges.Present(DomainName.Parse("web.home.test"), "token", "token.thumbprint");
        using var client = _door.ClientFor(_door.HttpsPort);

        Assert.That(await client.GetStringAsync("https://web.home.test/.well-known/acme-challenge/token"), Is.EqualTo("the app's own"));
    }

    [Test]
    public async Task Ports_SwitchedOff_AreNotBound()
    {
        await using var door = await StartAsync(new() { ["HttpPort"] = "0", ["HttpsPort"] = "0" });

        Assert.That((door.HttpPort, door.HttpsPort), Is.EqualTo((0, 0)));
    }
}
