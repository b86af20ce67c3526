using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using Piccolo.Tests.Ingress.Tls;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Transports;

internal sealed class TunnelTransportTests
{
    private static readonly IPEndPoint User = IPEndPoint.Parse("198.51.100.7:51514");

    private FrontDoor _door = null!;

    [SetUp]
    public async Task SetUp() => _door = await StartAsync();

    [TearDown]
    public async Task TearDown() => await _door.DisposeAsync();

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task TlsStream_ForApp_IsServedWithTheUsersAddress(string version)
    {
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        _door.PublishApp("web", app.Port);
        using var client = _door.ClientOver(_ => ValueTask.FromResult(_door.Tunnel.Open("web.home.test", 443, true, User).User));
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://web.home.test/")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await client.SendAsync(request);
        var seen = await app.NextRequestAsync();

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("ok"));
        Assert.That(seen["X-Forwarded-For"].ToString(), Is.EqualTo("198.51.100.7"));
        Assert.That(seen["X-Forwarded-Proto"].ToString(), Is.EqualTo("https"));
    }

    [Test]
    public async Task TlsStream_OfAnUnknownUser_TellsTheAppNoAddress()
    {
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        _door.PublishApp("web", app.Port);
        using var client = _door.ClientOver(_ => ValueTask.FromResult(_door.Tunnel.Open("web.home.test", 443, true).User));
        client.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.9");

        await client.GetStringAsync("https://web.home.test/");
        var seen = await app.NextRequestAsync();

        Assert.That(seen.ContainsKey("X-Forwarded-For"), Is.False);
        Assert.That(seen["Forwarded"].ToString(), Is.EqualTo("host=\"web.home.test\";proto=https"));
    }

    [Test]
    public async Task TlsStream_OfATlsListener_ReachesTheAppsOwnCertificate()
    {
        using var own = _door.Ca.IssueLeaf("own.home.test");
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"), certificate: own);
        _door.PublishApp("own", app.Port, ListenerFlow.Tls);
        var stream = _door.Tunnel.Open("own.home.test", 443, true, User);
        await using var tls = new SslStream(stream.User, leaveInnerStreamOpen: false,
            (_, shown, _, _) => shown!.GetCertHashString() == own.GetCertHashString());

        await tls.AuthenticateAsClientAsync("own.home.test").WaitAsync(Patience);

        Assert.That(tls.RemoteCertificate!.GetCertHashString(), Is.EqualTo(own.GetCertHashString()));
    }

    [Test]
    public async Task Response_WithoutLength_EndsForTheUser()
    {
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("until the end"));
        _door.PublishApp("web", app.Port);
        var stream = _door.Tunnel.Open("web.home.test", 443, true, User);
        await using var tls = new SslStream(stream.User);
        await _door.HandshakeAsync(tls, "web.home.test");

        await tls.WriteAsync("GET / HTTP/1.0\r\nHost: web.home.test\r\n\r\n"u8.ToArray());

        Assert.That(await TlsTerminationTests.ReadToEndAsync(tls), Does.EndWith("until the end"));
        await stream.Ended.WaitAsync(Patience);
    }

    /// <summary>An app that is stopped or removed goes in the middle of what it sends: that is no fault of the server's.</summary>
    [Test]
    public async Task App_ThatGoesUnderADownload_EndsTheStreamAndLogsNoError()
    {
        using var log = new CapturedLog();
        await using var door = await StartAsync(log: log);
        await using var app = await FakeApp.StartAsync(async context =>
        {
            context.Response.ContentLength = 1L << 40;
            for (var n = 0; n < 16; n++) await context.Response.Body.WriteAsync(new byte[65_536]);
            context.Abort();
        });
        door.PublishApp("web", app.Port);

        for (var round = 0; round < 30; round++)
        {
            var stream = door.Tunnel.Open("web.home.test", 443, true, User);
            await using var tls = new SslStream(stream.User);
            await door.HandshakeAsync(tls, "web.home.test");
            await tls.WriteAsync("GET / HTTP/1.1\r\nHost: web.home.test\r\n\r\n"u8.ToArray());
            _ = tls.CopyToAsync(Stream.Null);
            await stream.Ended.WaitAsync(Patience);
            await stream.VanishAsync();
        }

        Assert.That(log.Entries.Where(entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error), Is.Empty);
    }

    [Test]
    public async Task User_Vanishes_RequestIsAborted()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await FakeApp.StartAsync(async context =>
        {
            await using var registration = context.RequestAborted.Register(() => aborted.TrySetResult());
            arrived.TrySetResult();
            await aborted.Task;
        });
        _door.PublishApp("web", app.Port);
        FakeTunnelStream? stream = null;
        using var client = _door.ClientOver(_ => ValueTask.FromResult((stream = _door.Tunnel.Open("web.home.test", 443, true, User)).User));
        var asking = client.GetAsync("https://web.home.test/");
        await arrived.Task.WaitAsync(Patience);

        await stream!.VanishAsync();

        await aborted.Task.WaitAsync(Patience);
        Assert.That(async () => await asking, Throws.InstanceOf<HttpRequestException>());
        await stream.Ended.WaitAsync(Patience);
    }

    [Test]
    public async Task Splice_AppEndsFirst_TheStreamEnds()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        var stream = _door.Tunnel.Open("own.home.test", 443, true, User);
        await stream.User.WriteAsync(Core.Tls.HelloBytes.WithServerName("own.home.test"));
        using (var app = await upstream.AcceptSocketAsync().WaitAsync(Patience)) await app.SendAsync("bye"u8.ToArray());

        Assert.That(await TlsTerminationTests.ReadToEndAsync(stream.User), Is.EqualTo("bye"));
        await stream.Ended.WaitAsync(Patience);
    }

    [Test]
    public async Task Splice_UserVanishes_AppIsTold()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        var stream = _door.Tunnel.Open("own.home.test", 443, true, User);
        var hello = Core.Tls.HelloBytes.WithServerName("own.home.test");
        await stream.User.WriteAsync(hello);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        // What the user sent last may be lost when it vanishes, as the relay drops it too; so first it arrives.
        var arrived = new byte[hello.Length];
        for (var read = 0; read < arrived.Length;) read += await app.ReceiveAsync(arrived.AsMemory(read)).AsTask().WaitAsync(Patience);

        await stream.VanishAsync();

        Assert.That(arrived, Is.EqualTo(hello));
        Assert.That(await TlsTerminationTests.ReadToEndAsync(app), Is.Empty);
        await stream.Ended.WaitAsync(Patience);
    }

    [Test]
    public async Task PlainStream_OnPort80_AnswersChallengesAndRedirects()
    {
        _door.PublishApp("web", 1);
        using var presented = _door.Challenges.Present(DomainName.Parse("web.home.test"), "token", "token.thumbprint");
        using var client = _door.ClientOver(_ => ValueTask.FromResult(_door.Tunnel.Open("web.home.test", 80, false, User).User));

        using var other = await client.GetAsync("http://web.home.test/");

        Assert.That(await client.GetStringAsync("http://web.home.test/.well-known/acme-challenge/token"), Is.EqualTo("token.thumbprint"));
        Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.PermanentRedirect));
    }

    [TestCase("portal.home.test", HttpStatusCode.PermanentRedirect)]
    [TestCase("localhost", HttpStatusCode.MisdirectedRequest)]
    [TestCase("127.0.0.1", HttpStatusCode.MisdirectedRequest)]
    [TestCase("piccolo.local", HttpStatusCode.MisdirectedRequest)]
    public async Task PlainStream_NeverReachesTheApi(string host, HttpStatusCode expected)
    {
        _door.PublishPortal();
        using var client = _door.ClientOver(_ => ValueTask.FromResult(_door.Tunnel.Open("portal.home.test", 80, false, User).User));

        using var response = await client.GetAsync($"http://{host}/");

        Assert.That(response.StatusCode, Is.EqualTo(expected));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.Not.EqualTo(PortalBody));
    }

    [Test]
    public async Task Portal_BeforeItsCertificate_AsksForPatience()
    {
        _door.PublishPortal(withCertificate: false);
        using var client = _door.ClientOver(_ => ValueTask.FromResult(_door.Tunnel.Open("portal.home.test", 80, false, User).User));

        using var response = await client.GetAsync("http://portal.home.test/");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
    }

    [TestCase(443, false)]
    [TestCase(8443, false)]
    public async Task PlainStream_OnAnotherPort_IsClosed(int port, bool isTls)
    {
        _door.PublishApp("web", 1);
        var stream = _door.Tunnel.Open("web.home.test", port, isTls, User);

        await stream.User.WriteAsync("GET / HTTP/1.1\r\nHost: web.home.test\r\n\r\n"u8.ToArray());

        Assert.That(await TlsTerminationTests.ReadToEndAsync(stream.User), Is.Empty);
        await stream.Ended.WaitAsync(Patience);
    }

    [TestCase(80)]
    [TestCase(9443)]
    public async Task TlsStream_OnAPortThatTheNameDoesNotServe_IsRefused(int port)
    {
        _door.PublishApp("web", 1);
        var stream = _door.Tunnel.Open("web.home.test", port, true, User);

        await stream.User.WriteAsync(Core.Tls.HelloBytes.WithServerName("web.home.test"));
        var answer = await TlsTerminationTests.ReadToEndAsync(stream.User);

        Assert.That(answer, Has.Length.EqualTo(port == 80 ? 0 : 7));
        await stream.Ended.WaitAsync(Patience);
    }
}
