using System.Net;
using Microsoft.AspNetCore.Http;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

internal sealed class AppForwarderTests
{
    private FrontDoor _door = null!;
    private FakeApp _app = null!;
    private HttpClient _client = null!;

    [SetUp]
    public async Task SetUp()
    {
        _door = await StartAsync();
        _app = await FakeApp.StartAsync(context =>
        {
            context.Response.Headers.Append("Set-Cookie", "piccolo_session=stolen; Path=/");
            context.Response.Headers.Append("Set-Cookie", "=piccolo_session=nameless");
            context.Response.Headers.Append("Set-Cookie", " __Host-Piccolo_Session =x; Secure; Path=/");
            context.Response.Headers.Append("Set-Cookie", "theme=dark; Path=/");
            return context.Response.WriteAsync("ok");
        });
        _door.PublishApp("web", _app.Port);
        _client = _door.ClientFor(_door.HttpsPort);
    }

    [TearDown]
    public async Task TearDown()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _door.DisposeAsync();
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Request_WithForgedHeaders_AppSeesTheTruth(string version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://web.home.test/")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        foreach (var name in new[]
        {
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X_Forwarded_For",
            "X-Real-IP",
            "Forwarded",
        })
            request.Headers.TryAddWithoutValidation(name, "203.0.113.9");
        request.Headers.Add("X-Kept", "yes");

        using var response = await _client.SendAsync(request);
        var seen = await _app.NextRequestAsync();

        Assert.That(seen.Values.SelectMany(v => v), Has.None.Contains("203.0.113.9"));
        Assert.That(seen["X-Forwarded-For"].ToString(), Is.EqualTo("127.0.0.1"));
        Assert.That(seen["X-Forwarded-Proto"].ToString(), Is.EqualTo("https"));
        Assert.That(seen["X-Forwarded-Host"].ToString(), Is.EqualTo("web.home.test"));
        Assert.That(seen["Forwarded"].ToString(), Is.EqualTo("for=127.0.0.1;host=\"web.home.test\";proto=https"));
        Assert.That(seen.Host.ToString(), Is.EqualTo("web.home.test"));
        Assert.That(seen["X-Kept"].ToString(), Is.EqualTo("yes"));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Cookies_OfOurs_AreStrippedBothWays(string version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://web.home.test/")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Cookie", "theme=light; piccolo_session=secret;__Host-piccolo_session=secret; piccolo_session_like=1");

        using var response = await _client.SendAsync(request);
        var seen = await _app.NextRequestAsync();

        Assert.That(seen.Cookie.ToString(), Is.EqualTo("theme=light; piccolo_session_like=1"));
        Assert.That(response.Headers.GetValues("Set-Cookie"), Is.EqualTo(new[] { "theme=dark; Path=/" }));
    }

    [TestCase("piccolo_session=a", true)]
    [TestCase("  PICCOLO_SESSION = a; Path=/", true)]
    [TestCase("= piccolo_session=a", true)]
    [TestCase("piccolo_session", true)]
    [TestCase("__Host-piccolo_session=a", true)]
    [TestCase("xpiccolo_session=a", false)]
    [TestCase("a=piccolo_session=b", false)]
    [TestCase("", false)]
    public void IsOurs_OfACookie_GoesByItsNameAsABrowserWouldSendIt(string cookie, bool expected) =>
        Assert.That(ApplianceCookies.IsApplianceCookie(cookie), Is.EqualTo(expected));

    [Test]
    public void WithoutOurs_OnlyOurs_LeavesNothing() => Assert.That(ApplianceCookies.RemoveApplianceCookies("piccolo_session=a;"), Is.Null);

    [TestCase("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html")]
    [TestCase("application/json", "application/problem+json")]
    [TestCase("*/*", "application/problem+json")]
    [TestCase("application/json, text/html;q=0.5", "application/problem+json")]
    [TestCase("text/html;q=0.5, application/problem+json;q=0.4", "text/html")]
    [TestCase("text/html;q=0", "application/problem+json")]
    [TestCase("application/json, text/html", "application/problem+json")]
    [TestCase("not/a/type;;q=x", "application/problem+json")]
    public async Task App_Down_Answers503InTheClientsFormat(string accept, string expected)
    {
        using (PassThroughTests.StartListening(out var unused)) _door.PublishApp("down", unused);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://down.home.test/");
        request.Headers.TryAddWithoutValidation("Accept", accept);

        using var response = await _client.SendAsync(request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo(expected));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Not.Contain("Exception").And.Not.Contain("127.0.0.1"));
    }

    [Test]
    public async Task App_ThatBreaksOffBeforeAnswering_Answers502()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        _door.PublishApp("broken", port);
        var asking = _client.GetAsync("https://broken.home.test/");
        using (var accepted = await upstream.AcceptSocketAsync().WaitAsync(Patience))
        {
            var buffer = new byte[4096];
            Assert.That(await accepted.ReceiveAsync(buffer), Is.GreaterThan(0));
            await accepted.SendAsync("nonsense\r\n\r\n"u8.ToArray());
        }

        using var response = await asking;

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("\"code\":\"app_bad_answer\""));
    }

    [Test]
    public async Task App_SilentForTooLong_Answers504()
    {
        await using var door = await StartAsync(new() { ["ForwardIdleTimeout"] = "00:00:00.300" });
        using var upstream = PassThroughTests.StartListening(out var port);
        door.PublishApp("slow", port);
        using var client = door.ClientFor(door.HttpsPort);

        using var request = new HttpRequestMessage(HttpMethod.Get, "https://slow.home.test/");
        request.Headers.TryAddWithoutValidation("Accept", "text/html");

        using var response = await client.SendAsync(request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.GatewayTimeout));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("The app does not answer").And.Not.Contain("Exception"));
    }
}
