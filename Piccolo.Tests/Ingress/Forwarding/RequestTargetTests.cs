using System.Net.Sockets;
using System.Text;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>Methods, targets and host names go on as the client wrote them, whichever form they came in, or are refused.</summary>
internal sealed class RequestTargetTests : RawAppFixture
{
    [TestCase("GET", "/a%2Fb?x=%20", "/a%2Fb?x=%20")]
    [TestCase("GET", "http://web.home.test/a%2Fb", "/a%2Fb")]
    [TestCase("GET", "https://web.home.test/b/%2e%2e/c", "/b/%2e%2e/c")]
    [TestCase("GET", "http://web.home.test/a\\..\\b", "/a\\..\\b")]
    [TestCase("GET", "http://web.home.test/a%zz%41", "/a%zz%41")]
    [TestCase("POST", "http://web.home.test", "/")]
    [TestCase("GET", "http://web.home.test?q=http://x/", "/?q=http://x/")]
    [TestCase("OPTIONS", "*", "*")]
    [TestCase("OPTIONS", "http://web.home.test", "*")]
    [TestCase("OPTIONS", "http://web.home.test/", "/")]
    public void Target_InAnyForm_IsTheSamePath(string method, string raw, string expected)
    {
        Assert.That(RequestTarget.TryRead(raw, method, out var target), Is.True);
        Assert.That(target, Is.EqualTo(expected));
    }

    [TestCase("GET", "*")]
    [TestCase("GET", "")]
    [TestCase("GET", "web.home.test:443")]
    [TestCase("GET", "a/b://c")]
    [TestCase("GET", "/a b")]
    [TestCase("GET", "http://web.home.test/a\tb")]
    [TestCase("GET", "http://web.home.test/\u00e9")]
    public void Target_ThatIsNone_IsRefused(string method, string raw) => Assert.That(RequestTarget.TryRead(raw, method, out _), Is.False);

    [TestCase("GET http://web.home.test/a%2Fb HTTP/1.1", "GET /a%2Fb HTTP/1.1")]
    [TestCase("POST http://web.home.test/b/%2e%2e/c HTTP/1.1", "POST /b/%2e%2e/c HTTP/1.1")]
    [TestCase("OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1")]
    [TestCase("head /x HTTP/1.1", "head /x HTTP/1.1")]
    [TestCase("gEt /x HTTP/1.1", "gEt /x HTTP/1.1")]
    [TestCase("PROPFIND /dav/ HTTP/1.1", "PROPFIND /dav/ HTTP/1.1")]
    public async Task RequestLine_ReachesTheAppAsItWasMeant(string line, string expected)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"{line}\r\nHost: web.home.test\r\n\r\n"));
        using var app = await App.AcceptAsync();

        var seen = await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        Assert.That(seen.Split("\r\n")[0], Is.EqualTo(expected));
        Assert.That(await StatusAsync(tls), Is.EqualTo("200"));
    }

    /// <summary>An app for which "head" is no HEAD answers with content, after the head. It belongs to that request, and to no other visitor's.</summary>
    [TestCase("head")]
    [TestCase("Head")]
    public async Task Method_ThatIsNearlyHead_DoesNotShiftTheAnswers(string method)
    {
        const string Evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Evil: 1\r\n\r\nEVIL";
        await using var first = await Door.ConnectTlsAsync("web.home.test");
        await first.WriteAsync(Encoding.Latin1.GetBytes($"{method} /shift HTTP/1.1\r\nHost: web.home.test\r\n\r\n"));
        using var app = await App.AcceptAsync();
        await app.AnswerAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Evil.Length}\r\n\r\n");
        var second = GetAsync("1.1");
        // The other visitor has a connection of its own: this one is not free yet.
        using var other = await App.AcceptAsync();
        await app.SendAsync(Evil);
        await other.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");

        Assert.That(await TextAsync(second), Is.EqualTo("hello"));
        var received = new byte[4096];
        var text = "";
        while (!text.EndsWith("EVIL", StringComparison.Ordinal))
            text += Encoding.Latin1.GetString(received, 0, await first.ReadAsync(received).AsTask().WaitAsync(Patience));
        Assert.That(text, Does.Contain(Evil));
    }

    [Test]
    public async Task Connect_IsNotForwarded()
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync("CONNECT web.home.test:443 HTTP/1.1\r\nHost: web.home.test:443\r\n\r\n"u8.ToArray());

        Assert.That(await StatusAsync(tls), Is.EqualTo("501").Or.EqualTo("400"));
        Assert.That(App.IsAskedFor, Is.False);
    }

    [TestCase("h2c")]
    [TestCase("tcp")]
    [TestCase("foo, bar")]
    public async Task Upgrade_ToAnythingButWebSocket_IsNotPassedOn(string protocol)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(
            Encoding.Latin1.GetBytes($"GET / HTTP/1.1\r\nHost: web.home.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
            + $"{protocol}\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"));
        using var app = await App.AcceptAsync();

        var seen = await app.AnswerAsync($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");

        Assert.That(seen, Does.Not.Contain("pgrade"));
        Assert.That(await StatusAsync(tls), Is.EqualTo("502"));
    }

    [Test]
    public async Task InternationalName_GoesOnInTheFormItHasOnTheWire()
    {
        const string Name = "xn--bcher-kva.home.test";
        Door.Publish(new Route.App(DomainName.Parse("b\u00fccher.home.test"), Listener("intl", App.Port)));
        using var challenge = Door.Challenges.Present(DomainName.Parse(Name), "token", "token.thumb");
        await using var tls = await Door.ConnectTlsAsync(Name);
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"GET / HTTP/1.1\r\nHost: {Name.ToUpperInvariant()}:443\r\n\r\n"));
        using var app = await App.AcceptAsync();

        var seen = await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        Assert.That(seen, Does.Contain($"Host: {Name.ToUpperInvariant()}:443\r\n").And.Contain($"X-Forwarded-Host: {Name.ToUpperInvariant()}:443\r\n"));
        using var plain = new NetworkStream(await ConnectAsync(Door.HttpPort), ownsSocket: true);
        await plain.WriteAsync(Encoding.Latin1.GetBytes($"GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: {Name}\r\n\r\n"));
        Assert.That(await StatusAsync(plain), Is.EqualTo("200"));
    }

    [TestCase("xn--0.home.test")]
    [TestCase("xn--mller-kva.test")]
    [TestCase("xn--zzzzzzzzzz99999.home.test")]
    [TestCase("xn--a-0.xn--0")]
    public async Task Name_ThatCannotBeDecoded_IsNoFaultOfOurs(string name)
    {
        var lan = (await Door.OpenLanPortsAsync(Listener("lan", App.Port)))[0];
        foreach (var path in new[] { "/", "/.well-known/acme-challenge/token" })
        {
            using var plain = new NetworkStream(await ConnectAsync(Door.HttpPort), ownsSocket: true);
            await plain.WriteAsync(Encoding.Latin1.GetBytes($"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n"));
            Assert.That(await StatusAsync(plain), Does.StartWith("4"), path);
        }
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n"));
        Assert.That(await StatusAsync(tls), Is.EqualTo("421"));

        using var onLan = new NetworkStream(await ConnectAsync(lan), ownsSocket: true);
        await onLan.WriteAsync(Encoding.Latin1.GetBytes($"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"));
        var status = StatusAsync(onLan);
        // What a LAN port thinks of foreign names is another matter; if the app is asked, then with the name as it came.
        var accepting = App.AcceptAsync();
        if (await Task.WhenAny(status, accepting) == accepting)
        {
            using var app = await accepting;
            Assert.That(await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Does.Contain($"Host: {name}\r\n"));
        }
        Assert.That(await status, Does.StartWith("4").Or.EqualTo("200"));
    }

    [TestCase("X-Forwarded-For", true)]
    [TestCase("x_forwarded_proto", true)]
    [TestCase("Forwarded", true)]
    [TestCase("X-Original-Forwarded-For", true)]
    [TestCase("X-Real-IP", true)]
    [TestCase("X-Client-IP", true)]
    [TestCase("Client-IP", true)]
    [TestCase("Client_Ip", true)]
    [TestCase("CF-Connecting-IP", true)]
    [TestCase("CF-Connecting-IPv6", true)]
    [TestCase("True-Client-IP", true)]
    [TestCase("X-Cluster-Client-IP", true)]
    [TestCase("Fastly-Client-IP", true)]
    [TestCase("X-ProxyUser-Ip", true)]
    [TestCase("X-Appengine-User-IP", true)]
    [TestCase("X-Azure-SocketIP", true)]
    [TestCase("X-Envoy-External-Address", true)]
    [TestCase("X-Remote-Addr", true)]
    [TestCase("Remote-Addr", true)]
    [TestCase("X-Remote-Address", true)]
    [TestCase("ClientIP", true)]
    [TestCase("Proxy", true)]
    [TestCase("X-Email-Address", false)]
    [TestCase("X-Zip", false)]
    [TestCase("Membership", false)]
    [TestCase("Accept-Encoding", false)]
    [TestCase("If-None-Match", false)]
    [TestCase("Range", false)]
    [TestCase("X-Ship", false)]
    [TestCase("Accept", false)]
    public void NameOfAField_ThatTellsWhereARequestComesFrom_IsKnownByItsWords(string name, bool expected) =>
        Assert.That(ForwardingRules.IsForwardingHeader(name), Is.EqualTo(expected));

    [Test]
    public async Task Requests_BeyondTheLimitOfAListener_AreBusy()
    {
        await using var door = await FrontDoor.StartAsync(new() { ["MaxRequestsPerListener"] = "2" });
        door.PublishApp("web", App.Port);
        using var client = door.ClientFor(door.HttpsPort);
        var waiting = new[] { AskAsync(), AskAsync() };
        using var one = await AcceptAsync();
        using var two = await AcceptAsync();

        using (var refused = await AskAsync())
        {
            Assert.That((int)refused.StatusCode, Is.EqualTo(503));
            Assert.That(refused.Headers.RetryAfter, Is.Not.Null);
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("app_busy"));
        }
        foreach (var app in new[] { one, two }) await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        foreach (var asking in waiting) (await asking).Dispose();
        var next = AskAsync();
        await Task.WhenAny(one.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            two.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        Assert.That((int)(await next).StatusCode, Is.EqualTo(200));

        Task<HttpResponseMessage> AskAsync() => client.SendAsync(Request(HttpMethod.Get, "2.0"));

        async Task<RawAppConnection> AcceptAsync()
        {
            var accepting = App.AcceptAsync();
            // One that is answered without the app would be waited for in vain.
            var first = await Task.WhenAny([accepting, .. waiting]);
            if (first is Task<HttpResponseMessage> answered) Assert.Fail($"The front door answered by itself: {await answered}");
            return await accepting;
        }
    }

    private static async Task<string> StatusAsync(Stream stream)
    {
        var text = "";
        var buffer = new byte[4096];
        while (!text.Contains("\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            if (read == 0) return "";
            text += Encoding.Latin1.GetString(buffer, 0, read);
        }
        return text.Split(' ')[1];
    }
}
