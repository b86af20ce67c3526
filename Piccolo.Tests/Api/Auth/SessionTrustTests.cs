using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Ingress.Composition;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Listeners;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Api.Auth;

/// <summary>Where the owner's session counts, and where it never goes (design D16, D17).</summary>
[Category("Sealed")]
internal sealed class SessionTrustTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TestAppliance _appliance = null!;
    private int _guardPort;

    [SetUp]
    public async Task SetUp()
    {
        var free = LoopbackPorts.Free(2);
        _guardPort = free[0];
        _appliance = new TestAppliance(null,
            ("Piccolo:Ingress:HttpsPort", "-1"), ("Piccolo:Ingress:GuardPorts", $"{free[0]}-{free[0]}"),
            ("Piccolo:Ingress:PublicPorts", $"{free[1]}-{free[1]}"));
        await _appliance.Api.SetUpAsync(TestAppliance.Password);
    }

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task DeviceHttps_Locked_UnlocksWithASecureCookieAndShowsItsFingerprint()
    {
        string? fingerprint = null;
        using var client = LanHttps(certificate => fingerprint = DeviceCertificate.FingerprintOf(certificate));

        using var unlocked = await UnlockAsync(client);
        var version = JsonNode.Parse(await client.GetStringAsync(new Uri("/version", UriKind.Relative)))!;

        Assert.That((int)unlocked.StatusCode, Is.EqualTo(200));
        Assert.That(unlocked.Headers.GetValues("Set-Cookie").Single(), Does.StartWith("__Host-piccolo_session=").And.Contain("secure").And.Contain("httponly"));
        Assert.That((string?)version["device"]!["fingerprint_sha256"], Is.EqualTo(fingerprint));
        Assert.That((int)version["device"]!["https_port"]!, Is.EqualTo(HttpsPort));
        Assert.That(_appliance.Log.Text, Does.Contain(fingerprint!), "it is printed at the start");
    }

    [Test]
    public async Task Cookie_InClearText_IsPlainAndClosedToScripts()
    {
        using var plain = new HttpClient(new SocketsHttpHandler { UseCookies = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{_appliance.HttpPort}"),
            Timeout = Limit,
        };
        using var unlocked = await UnlockAsync(plain);

        var cookie = unlocked.Headers.GetValues("Set-Cookie").Single();

        Assert.That(cookie, Does.StartWith("piccolo_session=").And.Contain("httponly").And.Contain("samesite=lax").And.Contain("path=/"));
        Assert.That(cookie, Does.Not.Contain("secure").And.Not.Contain("domain"));
    }

    [Test]
    public async Task Cookie_ThroughTheTunnel_IsSecureAndBoundToTheHost()
    {
        using var ca = new TestCa();
        using var visitor = TunnelVisitor.Of(_appliance, ca);
        using var unlocked = await UnlockAsync(visitor);

        var cookie = unlocked.Headers.GetValues("Set-Cookie").Single();

        Assert.That(cookie,
            Does.StartWith("__Host-piccolo_session=").And.Contain("secure").And.Contain("httponly").And.Contain("samesite=lax").And.Contain("path=/"));
        Assert.That(cookie, Does.Not.Contain("domain"), "the prefix forbids it");
    }

    [Test]
    public async Task Hsts_IsPromisedUnderThePortalsRemoteNameOnly()
    {
        using var ca = new TestCa();
        using var visitor = TunnelVisitor.Of(_appliance, ca);
        using var device = LanHttps();
        using var plain = new HttpClient(new SocketsHttpHandler { UseCookies = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{_appliance.HttpPort}"),
            Timeout = Limit,
        };

        Assert.That(await HstsAsync(visitor), Is.EqualTo("max-age=31536000"));
        Assert.That(await HstsAsync(device), Is.Null, "under the device's own certificate the browser would lock the owner out of clear text");
        Assert.That(await HstsAsync(plain), Is.Null);
    }

    [Test]
    public async Task SessionOfTheLan_ReplayedThroughTheTunnel_IsRefused()
    {
        using var lan = LanHttps();
        using var unlocked = await UnlockAsync(lan);
        var cookie = unlocked.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var ca = new TestCa();
        using var stranger = TunnelVisitor.Of(_appliance, ca);

        Assert.That(await StatusAsync(lan, cookie), Is.EqualTo(200), "where it began it counts");
        Assert.That(await StatusAsync(stranger, cookie), Is.EqualTo(401), "through the relay it does not");
        Assert.That(await StatusAsync(lan, cookie), Is.EqualTo(200), "and the attempt has not ended it");
    }

    [Test]
    public async Task SessionOfTheLan_ReplayedInClearText_IsRefused()
    {
        using var lan = LanHttps();
        using var unlocked = await UnlockAsync(lan);
        var id = unlocked.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2)[1];
        await using var stranger = new StrangerClient(_appliance);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/apps");
        request.Headers.Add("Cookie", $"__Host-piccolo_session={id}");

        using var response = await stranger.SendAsync(request);

        Assert.That((int)response.StatusCode, Is.EqualTo(401), "a cookie of that name is read over HTTPS only");
    }

    /// <summary>A raw listener hands its app whatever a browser sends, the session's cookie included: the app shares the device's host name.</summary>
    [Test]
    public async Task SessionOfTheLan_SeenByARawListener_OpensNothingFromAnotherAddress()
    {
        using var lan = LanHttps();
        using var unlocked = await UnlockAsync(lan);
        var cookie = unlocked.Headers.GetValues("Set-Cookie").Single();
        using var neighbour = LanHttps(from: IPAddress.Parse("127.0.0.2"));

        Assert.That(await StatusAsync(neighbour, cookie), Is.EqualTo(401), "an address that is not the owner's");
        Assert.That(await StatusAsync(lan, cookie), Is.EqualTo(200), "the owner goes on");
    }

    [TestCase("192.168.1.5", true, "192.168.1.5")]
    [TestCase("::ffff:192.168.1.5", true, "192.168.1.5")]
    [TestCase("::1", true, "127.0.0.1")]
    [TestCase("fe80::1%3", true, "fe80::1")]
    [TestCase("2001:db8:1:2:3:4:5:6", true, "2001:db8:1:2:3:4:5:6")]
    [TestCase("2001:db8:1:2:3:4:5:6", false, "2001:db8:1:2::/64")]
    [TestCase("203.0.113.7", false, "203.0.113.7")]
    public void Place_OfAnAddress_IsOneDeviceOnTheLanAndOneSubscriberBeyond(string address, bool isLocal, string expected) =>
        Assert.That(Piccolo.Core.Auth.SessionPlace.Of(IPAddress.Parse(address), isLocal), Is.EqualTo(expected));

    [Test, Category("NeedsRoot")]
    public async Task SessionOfTheLan_ReplayedFromAContainer_IsRefused()
    {
        // A network of the kind that container engines make; connections from its address come from a container.
        var unique = RandomNumberGenerator.GetHexString(5, lowercase: true);
        var network = $"any-{unique}";
        var address = $"10.213.{RandomNumberGenerator.GetInt32(256)}.1";
        await ToolAsync("ip", "link", "add", network, "type", "bridge");
        try
        {
            await ToolAsync("ip", "link", "add", $"piccolo-{unique}b", "type", "veth", "peer", "name", $"piccolo-{unique}c");
            await ToolAsync("ip", "link", "set", $"piccolo-{unique}b", "master", network);
            await ToolAsync("ip", "address", "add", address + "/24", "dev", network);
            await ToolAsync("ip", "link", "set", network, "up");
            _appliance.Services.GetRequiredService<OriginClassifier>().Refresh();
            using var lan = LanHttps();
            using var unlocked = await UnlockAsync(lan);
            var cookie = unlocked.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
            using var container = LanHttps(from: IPAddress.Parse(address));

            Assert.That(await StatusAsync(lan, cookie), Is.EqualTo(200));
            var refused = await Assert.CatchAsync<HttpRequestException>(() => StatusAsync(container, cookie));
            Assert.That(refused!.Message, Does.Contain("SSL"), "not even a handshake");
            Assert.That(await PlainFromAsync(IPAddress.Parse(address), cookie), Does.StartWith("HTTP/1.1 403"));
        }
        finally
        {
            await ToolAsync("ip", "link", "delete", $"piccolo-{unique}b");
            await ToolAsync("ip", "link", "delete", network);
        }
    }

    [Test]
    public async Task AppOnALanPort_EchoingAllItGets_NeverSeesOurCookies()
    {
        using var plain = new HttpClient(new SocketsHttpHandler { UseCookies = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{_appliance.HttpPort}"),
            Timeout = Limit,
        };
        using var unlocked = await UnlockAsync(plain);
        var cookie = unlocked.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var id = cookie.Split('=', 2)[1];
        await _appliance.Api.UnlockAsync(TestAppliance.Password);
        await _appliance.Api.TakeTokenAsync("test");
        await _appliance.Api.InstallAsync("name: echo\nimage: localhost/echo:1\nlisteners:\n  - { name: echo, guest_port: 8080, protocol: http }\n");
        await using var app = await FakeApp.StartAsync(context => context.Response.WriteAsync(
            string.Join('\n', context.Request.Headers.Select(h => $"{h.Key}: {h.Value}"))), port: _guardPort);
        var port = await LanPortAsync("echo");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/");
        // As a browser does: the app has the device's host name, and cookies ignore ports.
        request.Headers.Add("Cookie", $"theirs=1; {cookie}; __Host-{cookie}; PICCOLO_SESSION={id}");

        using var response = await plain.SendAsync(request);
        var echo = await response.Content.ReadAsStringAsync();

        Assert.That(echo, Does.Contain("Cookie: theirs=1"));
        Assert.That(echo, Does.Not.Contain(id).And.Not.Contain("piccolo_session").IgnoreCase);
    }

    private int HttpsPort => _appliance.Services.GetRequiredService<OwnPorts>().Current!.Https!.Value;

    private HttpClient LanHttps(Action<System.Security.Cryptography.X509Certificates.X509Certificate2>? seen = null, IPAddress? from = null) =>
        new(new SocketsHttpHandler
        {
            UseCookies = false,
            ConnectCallback = async (_, cancel) => new NetworkStream(await ConnectAsync(HttpsPort, from, cancel), ownsSocket: true),
            SslOptions = new SslClientAuthenticationOptions
            {
                // What an owner does who compares the fingerprint.
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    seen?.Invoke((System.Security.Cryptography.X509Certificates.X509Certificate2)certificate!);
                    return !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable);
                },
            },
        })
        { BaseAddress = new Uri($"https://127.0.0.1:{HttpsPort}"), Timeout = Limit };

    private static async Task<Socket> ConnectAsync(int port, IPAddress? from, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (from is not null) socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return socket;
    }

    private static Task<HttpResponseMessage> UnlockAsync(HttpClient client) => client.PostAsync(
        new Uri("/api/v1/crypto/unlock", UriKind.Relative), System.Net.Http.Json.JsonContent.Create(new { password = TestAppliance.Password }));

    private static async Task<string?> HstsAsync(HttpClient client)
    {
        using var response = await client.GetAsync(new Uri("/api/v1/health/live", UriKind.Relative));
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        return response.Headers.TryGetValues("Strict-Transport-Security", out var values) ? values.Single() : null;
    }

    private static async Task<int> StatusAsync(HttpClient client, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/apps");
        request.Headers.Add("Cookie", cookie);
        using var response = await client.SendAsync(request);
        return (int)response.StatusCode;
    }

    private async Task<string> PlainFromAsync(IPAddress from, string cookie)
    {
        using var socket = await ConnectAsync(_appliance.HttpPort, from, CancellationToken.None);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /api/v1/apps HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().WaitAsync(Limit);
    }

    private async Task<int> LanPortAsync(string listener)
    {
        var states = _appliance.Services.GetRequiredService<LanPortStates>();
        using var limit = new CancellationTokenSource(Limit);
        for (var seen = states.Changed.Version; states.Find(listener)?.Binding != LanPortBinding.Listening; seen = states.Changed.Version)
            await states.Changed.WaitAsync(seen, limit.Token);
        return states.Find(listener)!.Port;
    }

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        using var tool = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await tool.StandardError.ReadToEndAsync();
        await tool.WaitForExitAsync().WaitAsync(Limit);
        Assert.That(tool.ExitCode, Is.Zero, $"{program} {string.Join(' ', arguments)}: {error}");
    }
}
