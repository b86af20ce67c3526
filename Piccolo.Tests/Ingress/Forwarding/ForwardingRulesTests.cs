using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.Tls;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>Which fields go to an app and which come back, and that nothing is written that reads as more than was meant.</summary>
internal sealed class ForwardingRulesTests
{
    private FrontDoor _door = null!;
    private RawApp _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _door = await StartAsync();
        _app = new RawApp();
        _door.PublishApp("web", _app.Port, configure: d => d with { HstsMaxAge = 60 });
    }

    [TearDown]
    public async Task TearDown()
    {
        _app.Dispose();
        await _door.DisposeAsync();
    }

    [Test]
    public async Task Request_ReachesTheAppTheSameWhateverItsMethod()
    {
        const string Fields =
            "Host: web.home.test\r\nAccept: */*\r\nX-Name: caf\u00c3\u00a9\r\nCookie: theme=d\u00c3\u00a9; piccolo_session=secret\r\n"
            + "X-Forwarded-For: 203.0.113.9\r\nX_Real_IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: "
            + "timeout=5\r\n"
            + "Proxy-Authorization: secret\r\nTE: trailers\r\nUser-Agent: test\r\n";
        foreach (var method in new[] { "GET", "HEAD", "OPTIONS", "DELETE" })
        {
            var (request, _) = await ExchangeAsync($"{method} /a HTTP/1.1\r\n{Fields}\r\n", "HTTP/1.1 204 No Content\r\n\r\n");

            Assert.That(request.Split("\r\n")[0], Is.EqualTo($"{method} /a HTTP/1.1"));
            string[] length = method == "DELETE" ? ["Content-Length: 0"] : [];
            Assert.That(Sorted(request), Is.EqualTo((string[])
            [
                "Accept: */*", .. length, "Cookie: theme=d\u00c3\u00a9", "Forwarded: for=127.0.0.1;host=\"web.home.test\";proto=https", "Host: web.home.test",
                "User-Agent: test",
                "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: web.home.test", "X-Forwarded-Proto: https", "X-Name: caf\u00c3\u00a9", "X-Real-IP: 127.0.0.1",
            ]), method);
        }
    }

    [TestCase("GET")]
    [TestCase("DELETE")]
    public async Task Answer_ReachesTheClientTheSameWhateverTheMethod(string method)
    {
        const string Answer =
            "HTTP/1.1 200 OK\r\nServer: app\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; "
            + "filename=\"caf\u00c3\u00a9\"\r\nSet-Cookie: a=1\r\nSet-Cookie: piccolo_session=x\r\n"
            + "Set-Cookie: b=2\r\nX-Hop: 1\r\nConnection: X-Hop, Content-Length\r\nKeep-Alive: timeout=5\r\nAlt-Svc: "
            + "h3=\":1\"\r\nStrict-Transport-Security: max-age=1\r\n"
            + "Clear-Site-Data: \"storage\"\r\nClear-Site-Data: \"Cookies\"\r\nClear-Site-Data: \"cache\", \"*\"\r\nProxy-Authenticate: "
            + "Basic\r\nX-Empty:\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok";

        var (_, answer) = await ExchangeAsync($"{method} / HTTP/1.1\r\nHost: web.home.test\r\n\r\n", Answer);

        Assert.That(answer, Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("\r\n\r\nok"));
        Assert.That(Sorted(answer), Is.EqualTo(new[]
        {
            "Clear-Site-Data: \"storage\"", "Content-Disposition: attachment; filename=\"caf\u00c3\u00a9\"", "Content-Length: 2", "Content-Type: text/plain",
                "Date: Mon, 01 Jan 2024 00:00:00 GMT", "Server: app",
            "Set-Cookie: a=1", "Set-Cookie: b=2", "Strict-Transport-Security: max-age=60", "X-Empty:",
        }));
    }

    [TestCase("/")]
    [TestCase("/a%2Fb/%7e/../c//d?x=%20y&z=[1]")]
    [TestCase("//other.test/a")]
    [TestCase("/a?b?c")]
    [TestCase("/a\\b|c\"<>{}^`")]
    public async Task Target_IsForwardedAsTheClientWroteIt(string target)
    {
        foreach (var method in new[] { "GET", "DELETE" })
        {
            var (request, _) = await ExchangeAsync($"{method} {target} HTTP/1.1\r\nHost: web.home.test\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
            Assert.That(request, Does.StartWith($"{method} {target} HTTP/1.1\r\n"));
        }
    }

    [TestCase("/a\tb")]
    [TestCase("/a\u0001b")]
    public async Task Target_ThatCouldBeReadAsTwo_IsRefused(string target)
    {
        foreach (var method in new[] { "GET", "DELETE" })
        {
            await using var tls = await _door.ConnectTlsAsync("web.home.test");
            await tls.WriteAsync(Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: web.home.test\r\nConnection: close\r\n\r\n"));
            Assert.That(await TlsTerminationTests.ReadToEndAsync(tls), Does.StartWith("HTTP/1.1 400 "));
        }
        Assert.That(_app.IsAskedFor, Is.False);
    }

    [TestCase("GET")]
    [TestCase("DELETE")]
    public async Task Http2_CookiesAreJoinedAndTeKept(string method)
    {
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = new HttpRequestMessage(new HttpMethod(method), "https://web.home.test/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Cookie", ["a=1", "piccolo_session=secret", "b=2"]);
        request.Headers.TE.ParseAdd("trailers");
        var asking = client.SendAsync(request);
        using var app = await _app.AcceptAsync();
        var seen = await app.AnswerAsync("HTTP/1.1 204 No Content\r\n\r\n");
        (await asking).Dispose();

        Assert.That(Sorted(seen), Is.SupersetOf(new[] { "Cookie: a=1; b=2", "Host: web.home.test", "TE: trailers" }));
        Assert.That(seen, Does.Not.Contain(":path").And.Not.Contain("secret"));
    }

    [TestCase(null, null)]
    [TestCase("keep-alive", null)]
    [TestCase("close, Upgrade", null)]
    [TestCase("keep-alive, X-A , ,x-b", "X-A,x-b")]
    public void NominatedBy_OfConnection_AreTheFieldsItNames(string? connection, string? expected) =>
        Assert.That(ForwardingRules.NominatedBy(connection), Is.EqualTo(expected?.Split(',')));

    [TestCase("Content-Length", "5", true)]
    [TestCase("Host", "other", false)]
    [TestCase(":path", "/", false)]
    [TestCase("Authorization", "x", false)]
    [TestCase("Accept", "x", true)]
    public void ToApp_OfANominatedField_KeepsWhatFramesAndDropsTheRest(string name, string value, bool kept) =>
        Assert.That(ForwardingRules.ToApp(name, value, ["content-length", "host", ":path", "authorization"], isHttp2: false).Count, Is.EqualTo(kept ? 1 : 0));

    [TestCase("X-A", "a\r\nX-B: b")]
    [TestCase("X-A", "a\nb")]
    [TestCase("X-A", "a\0b")]
    [TestCase("X\r\nA", "a")]
    [TestCase("X-A", "a\u0001b")]
    [TestCase("X-A", "a\u000bb")]
    [TestCase("content-length ", "30")]
    [TestCase("forwarded:for=6.6.6.6,", "x")]
    [TestCase("x\u0001y", "CTL")]
    [TestCase("x y", "a")]
    [TestCase("x\u00e9", "a")]
    [TestCase("(x)", "a")]
    public void Write_OfWhatIsNoField_IsRefused(string name, string value)
    {
        var headers = new HeaderDictionary { [name] = new StringValues(value) };

        var verdict = RequestHeadWriter.Write(new byte[4096], Get("/"), false, headers, new ForwardedFields(null, "web.home.test", "https"), out _);

        Assert.That(verdict, Is.EqualTo(WriteVerdict.Refused));
    }

    [Test]
    public void Write_OfNominatedFields_LeavesThemOut()
    {
        var headers = new HeaderDictionary { ["Connection"] = "keep-alive, X-Hop", ["X-Hop"] = "1", ["X-Other"] = "2" };
        var bytes = new byte[4096];
        Assert.That(RequestHeadWriter.Write(bytes, Get("/"), false, headers, new ForwardedFields(null, "a", "https"), out var length),
            Is.EqualTo(WriteVerdict.Written));

        Assert.That(Encoding.Latin1.GetString(bytes, 0, length), Is.EqualTo(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Other: 2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nForwarded: host=\"a\";proto=https\r\n\r\n"));
    }

    [Test]
    public void Write_IntoTooLittleRoom_SaysSoAndNeverGoesBeyond()
    {
        var headers = new HeaderDictionary { ["Accept"] = "*/*", ["X-A"] = new StringValues(["1", "2"]), ["Content-Length"] = "7" };
        var forwarded = new ForwardedFields(IPAddress.IPv6Loopback, "web.home.test:1", "https");
        Assert.That(RequestHeadWriter.Write(new byte[4096], Get("/a"), false, headers, forwarded, out var length), Is.EqualTo(WriteVerdict.Written));

        for (var room = 0; room < length; room++)
            Assert.That(RequestHeadWriter.Write(new byte[room], Get("/a"), false, headers, forwarded, out _), Is.EqualTo(WriteVerdict.TooSmall));

        var exact = new byte[length];
        Assert.That(RequestHeadWriter.Write(exact, Get("/a"), false, headers, forwarded, out _), Is.EqualTo(WriteVerdict.Written));
        Assert.That(Encoding.Latin1.GetString(exact), Does.Contain("Forwarded: for=\"[::1]\";host=\"web.home.test:1\";proto=https\r\n\r\n").And.Contain(
            "X-A: 1\r\nX-A: 2\r\n").And.Not.Contain("Content-Length"));
    }

    private static ForwardPlan Get(string target) => new("GET", target, RequestFraming.None, 0);

    /// <summary>One request on a connection of its own, with what the app saw and what the client got.</summary>
    private async Task<(string Request, string Answer)> ExchangeAsync(string request, string answer)
    {
        await using var tls = await _door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var app = await _app.AcceptAsync();
        var seen = await app.AnswerAsync(answer);
        app.EndSending();
        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (!received.ToString().Contains("\r\n\r\n", StringComparison.Ordinal)
            || (answer.EndsWith("ok", StringComparison.Ordinal) && !received.ToString().EndsWith("ok", StringComparison.Ordinal)))
            received.Append(Encoding.Latin1.GetString(buffer, 0, await tls.ReadAsync(buffer).AsTask().WaitAsync(Patience)));
        return (seen, received.ToString());
    }

    private static IEnumerable<string> Sorted(string head) =>
        head[..head.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n")[1..].Select(f => f.TrimEnd()).Order(StringComparer.Ordinal);
}
