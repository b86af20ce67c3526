using System.Net;
using System.Net.Security;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.Tls;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>What must go through to an app and back as it comes.</summary>
internal sealed class ForwardingTests
{
    private FrontDoor _door = null!;

    [SetUp]
    public async Task SetUp() => _door = await StartAsync();

    [TearDown]
    public async Task TearDown() => await _door.DisposeAsync();

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task ServerSentEvents_ArriveOneByOne(string version)
    {
        var next = new SemaphoreSlim(0);
        await using var app = await FakeApp.StartAsync(async c =>
        {
            c.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 3; i++)
            {
                await c.Response.WriteAsync($"data: {i}\n\n");
                await c.Response.Body.FlushAsync();
                await next.WaitAsync(c.RequestAborted);
            }
        });
        _door.PublishApp("web", app.Port);
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = Get("https://web.home.test/", version);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        for (var i = 0; i < 3; i++)
        {
            // The app sends the next one only after this one has been read.
            Assert.That(await reader.ReadLineAsync().WaitAsync(Patience), Is.EqualTo($"data: {i}"));
            await reader.ReadLineAsync().WaitAsync(Patience);
            next.Release();
        }
        Assert.That(await reader.ReadLineAsync().WaitAsync(Patience), Is.Null);
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Upload_ReachesTheAppWhileItIsSent(string version)
    {
        var heard = new SemaphoreSlim(0);
        await using var app = await FakeApp.StartAsync(async c =>
        {
            var buffer = new byte[16];
            while (await c.Request.Body.ReadAsync(buffer) > 0) heard.Release();
            await c.Response.WriteAsync("done");
        });
        _door.PublishApp("web", app.Port);
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = Get("https://web.home.test/", version);
        request.Method = HttpMethod.Post;
        request.Content = new PacedContent(3, () => heard.WaitAsync(Patience));

        using var response = await client.SendAsync(request);

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("done"));
    }

    [Test]
    public async Task ExpectContinue_AppReads_ClientIsToldToGoOn()
    {
        await using var app = await FakeApp.StartAsync(async c =>
        {
            using var reader = new StreamReader(c.Request.Body);
            await c.Response.WriteAsync(await reader.ReadToEndAsync());
        });
        _door.PublishApp("web", app.Port);
        await using var tls = await _door.ConnectTlsAsync("web.home.test", null, SslApplicationProtocol.Http11);

        await tls.WriteAsync("POST / HTTP/1.1\r\nHost: web.home.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"u8.ToArray());
        var interim = new byte[25];
        await tls.ReadExactlyAsync(interim).AsTask().WaitAsync(Patience);
        await tls.WriteAsync("hello"u8.ToArray());

        Assert.That(Encoding.ASCII.GetString(interim), Is.EqualTo("HTTP/1.1 100 Continue\r\n\r\n"));
        Assert.That(await TlsTerminationTests.ReadToEndAsync(tls), Does.StartWith("HTTP/1.1 200 ").And.Contain("hello"));
    }

    [Test]
    public async Task ExpectContinue_AppRefuses_ClientGetsTheAnswerInstead()
    {
        await using var app = await FakeApp.StartAsync(c =>
        {
            c.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return Task.CompletedTask;
        });
        _door.PublishApp("web", app.Port);
        await using var tls = await _door.ConnectTlsAsync("web.home.test", null, SslApplicationProtocol.Http11);

        await tls.WriteAsync("POST / HTTP/1.1\r\nHost: web.home.test\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n"u8.ToArray());
        var status = new byte[12];
        await tls.ReadExactlyAsync(status).AsTask().WaitAsync(Patience);

        Assert.That(Encoding.ASCII.GetString(status), Is.EqualTo("HTTP/1.1 413"));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Client_ThatGoesAway_IsGoneForTheAppToo(string version)
    {
        var arrived = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var app = await FakeApp.StartAsync(async c =>
        {
            using var gone = c.RequestAborted.Register(aborted.SetResult);
            arrived.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c.RequestAborted);
        });
        _door.PublishApp("web", app.Port);
        using var client = _door.ClientFor(_door.HttpsPort);
        using var leaving = new CancellationTokenSource();
        using var request = Get("https://web.home.test/", version);

        var asking = client.SendAsync(request, leaving.Token);
        await arrived.Task.WaitAsync(Patience);
        await leaving.CancelAsync();

        await aborted.Task.WaitAsync(Patience);
        Assert.That(async () => await asking, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Grpc_OverTls_SpeaksHttp2ToTheAppAndKeepsTrailers()
    {
        await using var grpc = await FakeApp.StartAsync(async c =>
        {
            await c.Response.WriteAsync($"{c.Request.Protocol} te={c.Request.Headers.TE}");
            c.Response.AppendTrailer("grpc-status", "0");
        }, HttpProtocols.Http2);
        _door.PublishApp("rpc", grpc.Port, ListenerFlow.Tcp, ListenerProtocol.Grpc);
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = Get("https://rpc.home.test/", "2.0");
        request.Headers.TE.ParseAdd("trailers");

        using var response = await client.SendAsync(request);

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("HTTP/2 te=trailers"));
        Assert.That(response.TrailingHeaders.GetValues("grpc-status"), Is.EqualTo(new[] { "0" }));
    }

    [TestCase(null, "the app's")]
    [TestCase(31536000, "max-age=31536000")]
    [TestCase(0, "max-age=0")]
    public async Task Hsts_IsTheAppsMatterUnlessTheManifestAsks(int? asked, string expected)
    {
        await using var app = await FakeApp.StartAsync(c =>
        {
            c.Response.Headers.StrictTransportSecurity = "the app's";
            return c.Response.WriteAsync("ok");
        });
        _door.PublishApp("web", app.Port, configure: d => d with { HstsMaxAge = asked });
        using var client = _door.ClientFor(_door.HttpsPort);

        using var response = await client.GetAsync("https://web.home.test/");

        Assert.That(response.Headers.GetValues("Strict-Transport-Security"), Is.EqualTo(new[] { expected }));
    }

    [Test]
    public async Task Hsts_OnALanPort_IsNotAsked()
    {
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        var listener = Listener("web", app.Port);
        var ports = await _door.OpenLanPortsAsync(listener with { Definition = listener.Definition with { HstsMaxAge = 60 } });
        using var client = _door.ClientFor(ports[0]);

        using var response = await client.GetAsync("http://box.local/");

        Assert.That(response.Headers.Contains("Strict-Transport-Security"), Is.False);
    }

    [Test]
    public async Task RequestHeaders_LargerThanTheLimit_Are431()
    {
        await using var door = await StartAsync(new() { ["Piccolo:Http:MaxHeaderBytes"] = "2048" });
        using var client = door.ClientFor(door.HttpPort);
        using var request = Get("http://localhost/", "1.1");
        request.Headers.TryAddWithoutValidation("X-Big", new string('x', 3000));

        using var response = await client.SendAsync(request);

        Assert.That((int)response.StatusCode, Is.EqualTo(431));
    }

    [TestCase("1.1", 9_000, 0, 414)]
    [TestCase("2.0", 9_000, 0, 414)]
    [TestCase("2.0", 100_000, 0, 414)]
    [TestCase("1.1", 0, 40_000, 431)]
    [TestCase("2.0", 0, 40_000, 431)]
    [TestCase("2.0", 0, 100_000, 431)]
    public async Task Request_TooLong_IsRefusedAloneOnItsConnection(string version, int target, int field, int expected)
    {
        var refused = new SemaphoreSlim(0);
        await using var app = await FakeApp.StartAsync(async c =>
        {
            await c.Response.WriteAsync("begun");
            await refused.WaitAsync(c.RequestAborted);
            await c.Response.WriteAsync("done");
        });
        _door.PublishApp("web", app.Port);
        using var client = _door.ClientFor(_door.HttpsPort);
        using var beside = await client.SendAsync(Get("https://web.home.test/", version), HttpCompletionOption.ResponseHeadersRead);
        using var request = Get($"https://web.home.test/?{new string('q', target)}", version);
        if (field > 0) request.Headers.TryAddWithoutValidation("X-Big", new string('x', field));

        using var response = await client.SendAsync(request);
        refused.Release();

        Assert.That((int)response.StatusCode, Is.EqualTo(expected));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("urn:piccolo:problem:"));
        Assert.That(await beside.Content.ReadAsStringAsync(), Is.EqualTo("begundone"), "what goes on beside it goes on");
    }

    [Test]
    public async Task RequestHeaders_ThatNeverEnd_EndTheConnection()
    {
        await using var door = await StartAsync(new() { ["Piccolo:Http:HeadersTimeout"] = "00:00:00.200" });
        using var client = await ConnectAsync(door.HttpPort);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: loc"u8.ToArray());

        Assert.That(Encoding.ASCII.GetString(await TlsTerminationTests.ReadToEndAsync(client)), Does.StartWith("HTTP/1.1 408 "));
    }

    private static HttpRequestMessage Get(string url, string version) =>
        new(HttpMethod.Get, url) { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>A body of which each part is sent only after the one before was heard.</summary>
    private sealed class PacedContent(int parts, Func<Task<bool>> heard) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < parts; i++)
            {
                await stream.WriteAsync("part"u8.ToArray());
                await stream.FlushAsync();
                if (!await heard()) throw new TimeoutException("The app did not hear a part.");
            }
        }

        protected override bool TryComputeLength(out long length) => (length = -1) > 0;
    }
}
