using System.Net;
using System.Net.Security;
using System.Text;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>Apps that answer before the end of a request's content, or do not answer it at all.</summary>
internal sealed class UploadTests : UploadFixture
{
    /// <summary>How an app refuses what it has not read.</summary>
    public enum Refusal { Closes, Resets, HalfCloses, GoesOn }

    [Test]
    public async Task Refusal_DuringAnUpload_ArrivesAtOnce([Values] Refusal way,
        [Values("Content-Length: 30000000\r\n", "Transfer-Encoding: chunked\r\n")] string framing)
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
    public async Task Request_ThatMayNotBeRepeated_IsSeenOnce([ValueSource(nameof(Methods))] string method, [Values] bool reused,
        [Values("1.1", "2.0")] string version)
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
