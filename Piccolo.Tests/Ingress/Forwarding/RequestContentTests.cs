using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>Content of every framing and length, and the fields about it, on their way to the app.</summary>
internal sealed class RequestContentTests : UploadFixture
{
    [Test]
    public async Task EmptyContent_WithFieldsAboutIt_ReachesTheAppWithThem([ValueSource(nameof(Methods))] string method, [Values("1.1", "2.0")] string version)
    {
        foreach (var field in new[]
        {
            "Content-Type: text/plain",
            "Content-Language: de",
            "Content-Encoding: gzip",
            "Content-Range: bytes 0-0/0",
            "Expires: 0",
            "Allow: GET",
        })
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

    /// <summary>As a client of a container engine's socket does; the app may answer it in its own way.</summary>
    [TestCase("tcp")]
    [TestCase("h2c")]
    public async Task Content_BesideAnUpgradeThatIsNotPassedOn_ReachesTheApp(string protocol)
    {
        await using var tls = await Door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Encoding.Latin1.GetBytes(
            $"POST /exec HTTP/1.1\r\nHost: web.home.test\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nContent-Length: 3\r\n\r\nabc"));
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
    public async Task Content_OfAnySizeAndFraming_ArrivesWhole([Values("1.1", "2.0")] string version, [Values] bool isChunked,
        [Values(1, 4095, 16384, 100_001, 3_000_000)] int size)
    {
        await using var app = await FakeApp.StartAsync(async context =>
        {
            var hash = Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body));
            await context.Response.WriteAsync(
                $"{context.Request.ContentLength?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "chunked"} {hash}");
        });
        Door.PublishApp("sink", app.Port);
        var bytes = RandomNumberGenerator.GetBytes(size);
        for (var round = 0; round < 3; round++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "https://sink.home.test/")
            {
                Version = Version.Parse(version),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Content = new ByteArrayContent(bytes);
            if (isChunked) request.Content = new Unsized(bytes);

            using var response = await Client.SendAsync(request);

            Assert.That(await response.Content.ReadAsStringAsync(),
                Is.EqualTo($"{(isChunked ? "chunked" : size)} {Convert.ToHexString(SHA256.HashData(bytes))}"));
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
}
