using System.Net;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>What apps may say, byte by byte, and what their clients get of it.</summary>
internal sealed class AppExchangeTests : RawAppFixture
{
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello")]
    [TestCase("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "hello")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", "hello")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "hello")]
    [TestCase("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello")]
    public async Task Answer_OfKnownLength_IsGivenWholeAndTheConnectionServesTheNext(string answer, string content)
    {
        foreach (var version in new[] { "1.1", "2.0" })
        {
            var asking = GetAsync(version);
            using var app = await App.AcceptAsync();
            await app.AnswerAsync(answer);
            Assert.That(await TextAsync(asking), Is.EqualTo(content), version);

            // Byte by byte, on the same connection.
            asking = GetAsync(version);
            await app.RequestAsync();
            foreach (var letter in answer) await app.SendAsync(letter.ToString());
            Assert.That(await TextAsync(asking), Is.EqualTo(content), version);
            Assert.That(App.IsAskedFor, Is.False, "the connection was used again");
            app.Reset();
        }
    }

    [TestCase("HTTP/1.0 200 OK\r\n\r\nhello", true)]
    [TestCase("HTTP/1.1 200 OK\r\n\r\nhello", true)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", false)]
    [TestCase("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", false)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", false)]
    public async Task Answer_AfterWhichNothingCanBeTrusted_IsTheLastOfItsConnection(string answer, bool ends)
    {
        foreach (var version in new[] { "1.1", "2.0" })
        {
            var asking = GetAsync(version);
            using var app = await App.AcceptAsync();
            await app.AnswerAsync(answer);
            if (ends) app.EndSending();
            Assert.That(await TextAsync(asking), Is.EqualTo("hello"), version);
            await app.UntilEndAsync();

            asking = GetAsync(version);
            using var next = await App.AcceptAsync();
            await next.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnext");
            Assert.That(await TextAsync(asking), Is.EqualTo("next"), version);
        }
    }

    [TestCase("nonsense\r\n\r\n")]
    [TestCase("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello")]
    [TestCase("HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX y: 1\r\n\r\n")]
    [TestCase("HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1234567890123456\r\nx")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")]
    public async Task Answer_ThatIsNone_Is502WhateverTheMethod(string answer)
    {
        foreach (var method in new[] { "GET", "POST", "PUT", "DELETE" }) await Is502Async(answer, new HttpMethod(method));
    }

    private async Task Is502Async(string answer, HttpMethod method)
    {
        var asking = Client.SendAsync(Request(method, "1.1"), HttpCompletionOption.ResponseHeadersRead);
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(answer);

        using var response = await asking;

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("\"code\":\"app_bad_answer\""));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        await app.UntilEndAsync();
    }

    [TestCase("HTTP/1.1 200 OK\r\nX : 1\r\nContent-Length : 5\r\n\r\nhello", 200)]
    [TestCase("HTTP/1.1 700 Odd\r\nContent-Length: 5\r\n\r\nhello", 700)]
    [TestCase("HTTP/1.1 999 Odd\r\nContent-Length: 5\r\n\r\nhello", 999)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200)]
    [TestCase("*17 HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200)]
    [TestCase("HTTP/1.1 200 OK\r\n*300 Content-Length: 5\r\n\r\nhello", 200)]
    public async Task Answer_ThatIsOdd_IsTheSameWhateverTheMethod(string answer, int status)
    {
        answer = answer.Replace("*17 ", string.Concat(Enumerable.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 17)), StringComparison.Ordinal)
            .Replace("*300 ", string.Concat(Enumerable.Range(0, 300).Select(i => $"X-{i}: {i}\r\n")), StringComparison.Ordinal)
            .Replace("\r\n\r\nhello", "\r\nConnection: close\r\n\r\nhello", StringComparison.Ordinal);
        foreach (var method in new[] { "GET", "POST", "PUT", "DELETE", "PROPFIND" })
        {
            var asking = Client.SendAsync(Request(new HttpMethod(method), "1.1"), HttpCompletionOption.ResponseHeadersRead);
            using var app = await App.AcceptAsync();
            await app.AnswerAsync(answer);

            using var response = await asking;

            Assert.That((int)response.StatusCode, Is.EqualTo(status), method);
            Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("hello"), method);
            await app.UntilEndAsync();
        }
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Head_BeyondTheLimit_Is502AndOneWithinItArrives(string version)
    {
        var asking = GetAsync(version);
        using var app = await App.AcceptAsync();
        await app.AnswerAsync($"HTTP/1.1 200 OK\r\nX-Big: {new string('x', 30_000)}\r\nContent-Length: 2\r\n\r\nok");
        using (var response = await asking) Assert.That(response.Headers.GetValues("X-Big").Single(), Has.Length.EqualTo(30_000));

        asking = GetAsync(version);
        await app.RequestAsync();
        await app.SendAsync($"HTTP/1.1 200 OK\r\nX-Big: {new string('x', 70_000)}");
        using var refused = await asking;

        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
    }

    [TestCase("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, null)]
    [TestCase("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n", 304, 5)]
    [TestCase("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", 205, null)]
    public async Task Answer_WithoutContent_IsOverAtOnce(string answer, int status, long? length)
    {
        foreach (var version in new[] { "1.1", "2.0" })
        {
            var asking = GetAsync(version);
            using var app = await App.AcceptAsync();
            await app.AnswerAsync(answer);
            using (var response = await asking)
            {
                Assert.That((int)response.StatusCode, Is.EqualTo(status));
                Assert.That(await response.Content.ReadAsStringAsync(), Is.Empty);
                if (length is not null) Assert.That(response.Content.Headers.ContentLength, Is.EqualTo(length));
            }
            asking = GetAsync(version);
            await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            Assert.That(await TextAsync(asking), Is.EqualTo("ok"));
        }
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Head_IsAnsweredWithTheLengthThatThereWouldBe(string version)
    {
        using var request = Request(HttpMethod.Head, version);
        var asking = Client.SendAsync(request);
        using var app = await App.AcceptAsync();
        var seen = await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
        using (var response = await asking) Assert.That(response.Content.Headers.ContentLength, Is.EqualTo(12345));

        var next = GetAsync(version);
        await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

        Assert.That(seen, Does.StartWith("HEAD / HTTP/1.1\r\n"));
        Assert.That(await TextAsync(next), Is.EqualTo("ok"));
    }

    [Test]
    public async Task Options_GoTheSameWay()
    {
        using var request = Request(HttpMethod.Options, "1.1");
        var asking = Client.SendAsync(request);
        using var app = await App.AcceptAsync();
        var seen = await app.AnswerAsync("HTTP/1.1 200 OK\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n");

        using var response = await asking;

        Assert.That(seen, Does.StartWith("OPTIONS / HTTP/1.1\r\n"));
        Assert.That(response.Content.Headers.Allow, Is.EqualTo(new[] { "GET" }));
    }

    [Test]
    public async Task Trailers_ReachClientsOfHttp2()
    {
        var asking = GetAsync("2.0");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\nSet-Cookie: "
            + "a=b\r\nContent-Length: 3\r\n\r\n");

        using var response = await asking;

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("hello"));
        Assert.That(response.TrailingHeaders.GetValues("X-Sum"), Is.EqualTo(new[] { "1", "2" }));
        Assert.That(response.TrailingHeaders.Select(t => t.Key), Is.EqualTo(new[] { "x-sum" }));
    }

    [TestCase("1.1", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")]
    [TestCase("2.0", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")]
    [TestCase("1.1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [TestCase("2.0", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [TestCase("1.1", "HTTP/1.1 200 OK\r\n\r\nhello", true)]
    [TestCase("2.0", "HTTP/1.1 200 OK\r\n\r\nhello", true)]
    [TestCase("1.1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false, "nonsense")]
    [TestCase("2.0", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false, "nonsense")]
    public async Task Content_ThatEndsTooEarly_IsBrokenForTheClientToo(string version, string answer, bool reset = false, string more = "")
    {
        var asking = GetAsync(version);
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(answer);
        using var response = await asking;
        using var content = await response.Content.ReadAsStreamAsync();
        await content.ReadExactlyAsync(new byte[5]).AsTask().WaitAsync(Patience);
        if (more.Length > 0) await app.SendAsync(more);
        else if (reset) app.Reset();
        else app.EndSending();

        Assert.That(async () => await content.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience),
            Throws.InstanceOf<IOException>().Or.InstanceOf<HttpProtocolException>());
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task UnusualReason_IsKept()
    {
        var asking = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync("HTTP/1.1 299 Almost there\r\nContent-Length: 0\r\n\r\n");

        using var response = await asking;

        Assert.That(response.ReasonPhrase, Is.EqualTo("Almost there"));
    }
}
