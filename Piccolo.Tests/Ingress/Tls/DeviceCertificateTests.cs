using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Health;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Ingress.Tls;

/// <summary>HTTPS on the own network before the device has a name in the world (design D16).</summary>
internal sealed class DeviceCertificateTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [TestCase("127.0.0.1", Description = "an address is no server name: the client sends none")]
    [TestCase("localhost")]
    [TestCase("piccolo.local")]
    [TestCase("PICCOLO.local")]
    public async Task Handshake_LanName_GetsTheDeviceCertificateAndThePortalAnswers(string host)
    {
        await using var door = await FrontDoor.StartAsync();
        using var client = Client(door, out var served);

        using var response = await client.GetAsync(new Uri($"https://{host}:{door.HttpsPort}/"));

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(FrontDoor.PortalBody));
        Assert.That(served.Single().Thumbprint, Is.EqualTo(door.Get<DeviceCertificate>().Current!.Thumbprint));
    }

    [TestCase("evil.example")]
    [TestCase("piccolo.local.evil.example")]
    [TestCase("local")]
    public async Task Handshake_AnyOtherName_IsRefused(string host)
    {
        await using var door = await FrontDoor.StartAsync();
        using var client = Client(door, out var served);

        var refused = await Assert.CatchAsync<HttpRequestException>(() => client.GetAsync(new Uri($"https://{host}/")));

        Assert.That(refused!.InnerException, Is.InstanceOf<AuthenticationException>());
        Assert.That(served, Is.Empty);
    }

    [Test]
    public async Task Request_ForAnotherHostOnTheDevicesConnection_Is421()
    {
        await using var door = await FrontDoor.StartAsync();
        door.PublishPortal();
        await using var tls = new SslStream(new NetworkStream(await FrontDoor.ConnectAsync(door.HttpsPort), ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = Shown })
            .WaitAsync(FrontDoor.Patience);
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: portal.home.test\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(tls);

        Assert.That(await reader.ReadToEndAsync().WaitAsync(FrontDoor.Patience), Does.StartWith("HTTP/1.1 421"));
    }

    [TestCase("localhost")]
    [TestCase("piccolo.local")]
    [TestCase("127.0.0.1", Description = "no server name")]
    public async Task Tunnel_DeviceName_IsNeverAnswered(string host)
    {
        await using var door = await FrontDoor.StartAsync();
        await using var tls = new SslStream(door.Tunnel.Open("portal.home.test", 443, true).User);

        Assert.That(() => door.HandshakeAsync(tls, host), Throws.InstanceOf<AuthenticationException>().Or.InstanceOf<IOException>());
    }

    [TestCase(null, ConnectionOrigin.Lan, 443, true)]
    [TestCase(null, ConnectionOrigin.Loopback, 443, true)]
    [TestCase(null, ConnectionOrigin.Forwarded, 443, true)]
    [TestCase("192.168.1.5", ConnectionOrigin.Lan, 443, true)]
    [TestCase("fe80::1", ConnectionOrigin.Lan, 443, true)]
    [TestCase("piccolo.local", ConnectionOrigin.Lan, 443, true)]
    [TestCase("piccolo.local.", ConnectionOrigin.Lan, 443, true)]
    [TestCase("home.test", ConnectionOrigin.Lan, 443, false)]
    [TestCase(".local", ConnectionOrigin.Lan, 443, false)]
    [TestCase(null, ConnectionOrigin.Tunnel, 443, false)]
    [TestCase("piccolo.local", ConnectionOrigin.Tunnel, 443, false)]
    [TestCase(null, ConnectionOrigin.Container, 443, false)]
    [TestCase(null, ConnectionOrigin.Node, 443, false)]
    [TestCase(null, ConnectionOrigin.Lan, 8443, false)]
    public void AnswerTo_NameOriginPort_IsTheDevicesOrNobodys(string? name, ConnectionOrigin origin, int port, bool answers)
    {
        using var folder = new TempFolder();
        var certificate = Device(folder, new FakeTimeProvider(Now));
        certificate.Refresh();

        Assert.That(certificate.AnswerTo(name, new ConnectionOriginFeature(origin, null, port, null, true)) is not null, Is.EqualTo(answers));
    }

    [Test]
    public void Refresh_FirstStart_MakesAKeyThatOnlyTheOwnerReadsAndTheNextStartKeepsIt()
    {
        using var folder = new TempFolder();
        var time = new FakeTimeProvider(Now);
        var first = Device(folder, time);
        first.Refresh();
        var next = Device(folder, time);
        next.Refresh();

        Assert.That(File.GetUnixFileMode(folder.File("device/certificate.pem")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(folder.File("device")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(next.Current!.Thumbprint, Is.EqualTo(first.Current!.Thumbprint));
        Assert.That(next.Current.HasPrivateKey, Is.True);
        Assert.That(next.Current.GetECDsaPublicKey()!.ExportParameters(false).Curve.Oid.Value, Is.EqualTo(ECCurve.NamedCurves.nistP256.Oid.Value));
        Assert.That(next.Current.NotAfter - next.Current.NotBefore, Is.LessThanOrEqualTo(TimeSpan.FromDays(825)));
    }

    [Test]
    public void Refresh_OverYears_AlwaysHoldsOneThatLastsAndChangesRarely()
    {
        using var folder = new TempFolder();
        var time = new FakeTimeProvider(Now);
        var device = Device(folder, time);
        var seen = new HashSet<string>();
        for (var day = 0; day < 5 * 365; day++)
        {
            device.Refresh();
            seen.Add(device.Current!.Thumbprint);
            Assert.That(device.Current.NotBefore.ToUniversalTime(), Is.LessThanOrEqualTo(time.GetUtcNow().UtcDateTime));
            Assert.That(device.Current.NotAfter.ToUniversalTime(), Is.GreaterThan(time.GetUtcNow().UtcDateTime.AddDays(29)));
            time.Advance(TimeSpan.FromDays(1));
        }
        Assert.That(seen, Has.Count.EqualTo(3));
    }

    [TestCase("")]
    [TestCase("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    public void Refresh_FileThatCannotBeUsed_MakesANewOne(string content)
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("device"));
        File.WriteAllText(folder.File("device/certificate.pem"), content);
        var device = Device(folder, new FakeTimeProvider(Now));

        device.Refresh();

        Assert.That(device.Current, Is.Not.Null);
    }

    [Test]
    public void Refresh_ClockWasReset_UsesTheLatestTimeThatIsKnownToHavePassed()
    {
        using var folder = new TempFolder();
        var device = Device(folder, new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(30)), floor: Now);

        device.Refresh();

        Assert.That(device.Current!.NotBefore.ToUniversalTime(), Is.EqualTo(Now.UtcDateTime.AddDays(-1)));
    }

    private static DeviceCertificate Device(TempFolder folder, FakeTimeProvider time, DateTimeOffset? floor = null)
    {
        var log = new CapturedLog();
        var paths = new StatePaths(folder.Path);
        var options = Options.Create(new IngressOptions());
        return new DeviceCertificate(
            paths, new HostAllowList(options, new OriginClassifier(options, log.For<OriginClassifier>())),
            new ClockFloor(paths, floor ?? DateTimeOffset.UnixEpoch, time, log.For<ClockFloor>()), time, log.For<DeviceCertificate>());
    }

    /// <summary>Trusts whatever is served, and remembers it: what an owner does who compares the fingerprint.</summary>
    private static HttpClient Client(FrontDoor door, out List<X509Certificate2> served)
    {
        var seen = served = [];
        return new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) => new NetworkStream(await FrontDoor.ConnectAsync(door.HttpsPort, cancel), ownsSocket: true),
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
                {
                    seen.Add((X509Certificate2)certificate!);
                    return Shown(sender, certificate, chain, errors);
                },
            },
        })
        { Timeout = FrontDoor.Patience };
    }

    private static bool Shown(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable);
}
