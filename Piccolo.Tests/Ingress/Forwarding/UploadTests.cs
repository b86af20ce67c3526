using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>Requests with content, and apps that do not wait for the end of it.</summary>
internal sealed class UploadTests : RawAppFixture
{
    private static readonly string[] Methods = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL"];

    [Test]
    public async Task EmptyContent_WithFieldsAboutIt_ReachesTheAppWithThem([ValueSource(nameof(Methods))] string method, [Values("1.1", "2.0")] string version)
    {
        foreach (var field in new[] { "Content-Type: text/plain", "Content-Language: de", "Content-Encoding: gzip", "Content-Range: bytes 0-0/0", "Expires: 0", "Allow: GET" })
        {
            using var request = Request(new HttpMethod(method), version);
            request.Content = new ByteArrayContent([]);
            var (name, value) = (field.Split(": ")[0], field.Split(": ")[1]);
            request.Content.Headers.TryAddWithoutValidation(name, value);
            var asking = Client.SendAsync(request);
            using var app = await App.AcceptAsync();
            var seen = await app.AnswerAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");

            using var response = await asking;

            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NoContent), field);
            Assert.That(seen, Does.StartWith($"{method} / HTTP/1.1\r\n").And.Contain(field + "\r\n").And.Contain("Content-Length: 0\r\n"));
        }
    }

    [TestCase("POST", "Content-Type: text/plain\r\n")]
    [TestCase("PUT", "Content-Length: 0\r\nContent-Type: application/octet-stream\r\n")]
    [TestCase("DELETE", "Content-Type: application/json\r\n")]
    [TestCase("POST", "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n", "0\r\n\r\n")]
    public async Task NoContent_OnALanPort_ReachesTheApp(string method, string fields, string content = "")
    {
        var port = (await Door.OpenLanPortsAsync(Listener("lan", App.Port)))[0];
        using var client = await ConnectAsync(port);
        await client.SendAsync(Encoding.Latin1.GetBytes($"{method} / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{content}"));
        using var app = await App.AcceptAsync();
        var seen = await app.RequestAsync();

        Assert.That(seen, Does.Contain("Content-Type: "));
        await app.SendAsync("HTTP/1.1 204 No Content\r\n\r\n");
        Assert.That(await ReadHeadAsync(new NetworkStream(client)), Does.StartWith("HTTP/1.1 204"));
    }

    /// <summary>How an app refuses what it has not read.</summary>
    public enum Refusal { Closes, Resets, HalfCloses, GoesOn }

    [Test]
    public async Task Refusal_DuringAnUpload_ArrivesAtOnce([Values] Refusal way, [Values("Content-Length: 30000000\r\n", "Transfer-Encoding: chunked\r\n")] string framing)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"PUT /big HTTP/1.1\r\nHost: web.home.test\r\n{framing}\r\n"));
        var sending = SendForEverAsync(tls, isChunked: framing.StartsWith('T'));
        using var app = await App.AcceptAsync();
        await app.RequestAsync(hasContent: true);
        await app.SendAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large");
        if (way == Refusal.Closes) app.Dispose();
        else if (way == Refusal.Resets) app.EndSendingThenReset();
        else if (way == Refusal.HalfCloses) app.EndSending();

        var answer = await ReadUntilAsync(tls, "too large");

        Assert.That(answer, Does.StartWith("HTTP/1.1 413"));
        await app.UntilEndAsync();
        tls.Close();
        await sending;
    }

    [Test]
    public async Task Refusal_DuringAnUploadOverHttp2_ArrivesAtOnce()
    {
        using var request = Request(HttpMethod.Put, "2.0");
        request.Content = new StreamContent(new Endless());
        var asking = Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var app = await App.AcceptAsync();
        await app.RequestAsync(hasContent: true);
        await app.SendAsync("HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlogin");
        app.Dispose();

        using var response = await asking;

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("login"));
    }

    [Test]
    public async Task TwoWayTalk_OverOneRequest_IsHeardOnBothSides()
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync("POST /talk HTTP/1.1\r\nHost: web.home.test\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        using var app = await App.AcceptAsync();
        await app.RequestAsync();
        await app.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        Assert.That(await ReadHeadAsync(tls), Does.StartWith("HTTP/1.1 200"));
        foreach (var word in new[] { "one", "two", "three" })
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"{word.Length:x}\r\n{word}\r\n"));
            Assert.That(await app.ReadUntilAsync(word + "\r\n"), Does.EndWith($"{word.Length:x}\r\n{word}\r\n"));
            await app.SendAsync($"{word.Length:x}\r\n{word}\r\n");
            Assert.That(await ReadUntilAsync(tls, word), Does.Contain(word));
        }
        await tls.WriteAsync("0\r\n\r\n"u8.ToArray());
        Assert.That(await app.ReadUntilAsync("0\r\n\r\n"), Does.EndWith("0\r\n\r\n"));
        await app.SendAsync("0\r\n\r\n");
        Assert.That(await ReadUntilAsync(tls, "0\r\n\r\n"), Does.EndWith("0\r\n\r\n"));
    }

    [Test]
    public async Task Success_BeforeTheEndOfTheContent_DoesNotCutTheContent()
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync("POST / HTTP/1.1\r\nHost: web.home.test\r\nContent-Length: 6\r\n\r\nabc"u8.ToArray());
        using var app = await App.AcceptAsync();
        await app.ReadUntilAsync("abc");
        await app.SendAsync("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok");
        Assert.That(await ReadUntilAsync(tls, "ok"), Does.StartWith("HTTP/1.1 202"));

        await tls.WriteAsync("def"u8.ToArray());
        Assert.That(await app.ReadUntilAsync("def"), Does.EndWith("def"));
    }

    [Test]
    public async Task Request_ThatMayNotBeRepeated_IsSeenOnce([ValueSource(nameof(Methods))] string method, [Values] bool reused, [Values("1.1", "2.0")] string version)
    {
        if (reused)
        {
            var first = GetAsync(version);
            using var one = await App.AcceptAsync();
            await one.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            await TextAsync(first);
            await OnceAsync(one);
            return;
        }
        await OnceAsync(null);

        async Task OnceAsync(RawAppConnection? known)
        {
            var asking = Client.SendAsync(Request(new HttpMethod(method), version));
            var app = known ?? await App.AcceptAsync();
            await app.RequestAsync();
            app.EndSending();
            using var response = await asking;
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
            Assert.That(App.IsAskedFor, Is.False, "nobody asked a second time");
            app.Dispose();
        }
    }

    [TestCase("GET")]
    [TestCase("POST")]
    public async Task Timeout_ThatAnIdleConnectionHadSent_IsNotAnAnswer(string method)
    {
        var first = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await TextAsync(first);

        var asking = Client.SendAsync(Request(new HttpMethod(method), "1.1"));
        await app.AnswerAsync("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        app.EndSending();
        using var next = await App.AcceptAsync();
        await next.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");

        Assert.That(await TextAsync(asking), Is.EqualTo("next"));
    }

    /// <summary>With content a request cannot be sent again: what the app says is the response.</summary>
    [Test]
    public async Task Timeout_AsTheResponseToContent_IsPassedOn()
    {
        var first = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await TextAsync(first);

        using var request = Request(HttpMethod.Post, "1.1");
        request.Content = new StringContent("abc");
        var asking = Client.SendAsync(request);
        await app.ReadUntilAsync("abc");
        await app.SendAsync("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        using var response = await asking;
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.RequestTimeout));
        Assert.That(App.IsAskedFor, Is.False);
    }

    /// <summary>As a client of a container engine's socket does; the app may answer it in its own way.</summary>
    [TestCase("tcp")]
    [TestCase("h2c")]
    public async Task Content_BesideAnUpgradeThatIsNotPassedOn_ReachesTheApp(string protocol)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"POST /exec HTTP/1.1\r\nHost: web.home.test\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nContent-Length: 3\r\n\r\nabc"));
        using var app = await App.AcceptAsync();

        Assert.That(await app.ReadUntilAsync("abc"), Does.Contain("Content-Length: 3\r\n").And.Not.Contain("pgrade"));
        await app.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        Assert.That(await ReadUntilAsync(tls, "ok"), Does.StartWith("HTTP/1.1 200"));
    }

    [TestCase("5\nhello\n0\n\n")]
    [TestCase("zz\r\nhello\r\n")]
    [TestCase("5\r\nhelloX\r\n0\r\n\r\n")]
    public async Task Content_WhoseFramingIsWrong_Is400(string content)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"POST / HTTP/1.1\r\nHost: web.home.test\r\nTransfer-Encoding: chunked\r\n\r\n{content}"));

        Assert.That(await ReadHeadAsync(tls), Does.StartWith("HTTP/1.1 400"));
    }

    [TestCase("gzip, chunked")]
    [TestCase("identity, chunked")]
    public async Task Content_OfACodingThatWouldBeLost_Is501(string coding)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes($"POST / HTTP/1.1\r\nHost: web.home.test\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"));

        Assert.That(await ReadHeadAsync(tls), Does.StartWith("HTTP/1.1 501").Or.StartWith("HTTP/1.1 400"));
    }

    [Test]
    public async Task Content_OfAnySizeAndFraming_ArrivesWhole([Values("1.1", "2.0")] string version, [Values] bool isChunked, [Values(1, 4095, 16384, 100_001, 3_000_000)] int size)
    {
        await using var app = await FakeApp.StartAsync(async context =>
        {
            var hash = Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body));
            await context.Response.WriteAsync($"{context.Request.ContentLength?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "chunked"} {hash}");
        });
        Door.PublishApp("sink", app.Port);
        var bytes = RandomNumberGenerator.GetBytes(size);
        for (var round = 0; round < 3; round++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "https://sink.home.test/") { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Content = new ByteArrayContent(bytes);
            if (isChunked) request.Content = new Unsized(bytes);

            using var response = await Client.SendAsync(request);

            Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo($"{(isChunked ? "chunked" : size)} {Convert.ToHexString(SHA256.HashData(bytes))}"));
        }
    }

    [Test]
    public async Task Expectation_OfAnAppThatDoesNotKnowIt_IsWaitedForForASecond()
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync("POST / HTTP/1.1\r\nHost: web.home.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"u8.ToArray());
        using var app = await App.AcceptAsync();

        Assert.That(await app.ReadUntilAsync("abc"), Does.Contain("Expect: 100-continue"));
    }

    private static async Task SendForEverAsync(SslStream tls, bool isChunked)
    {
        var block = new byte[8192];
        try
        {
            while (true)
            {
                if (isChunked) await tls.WriteAsync("2000\r\n"u8.ToArray());
                await tls.WriteAsync(block);
                if (isChunked) await tls.WriteAsync("\r\n"u8.ToArray());
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The front door has closed, or the test has seen enough.
        }
    }

    private static Task<string> ReadHeadAsync(Stream stream) => ReadUntilAsync(stream, "\r\n\r\n");

    private static async Task<string> ReadUntilAsync(Stream stream, string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains(end, StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            if (read == 0) break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    /// <summary>Content of which nobody says the length.</summary>
    private sealed class Unsized(byte[] bytes) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(bytes).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class Endless : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => 0; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => count;

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
