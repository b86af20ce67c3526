using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Apps;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.SampleApp;

namespace Piccolo.Tests.Core.Apps;

/// <summary>Apps from manifest to answer on a real engine, joined as the daemon joins them.</summary>
[Category("NeedsPodman")]
internal sealed class AppsOnPodmanTests : AppsOnPodmanFixture
{
    [Test]
    public async Task App_FromInstallToRemoval_AnswersOnItsGuardPort()
    {
        var began = TimeProvider.System.GetTimestamp();
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        TestContext.Progress.WriteLine($"running after {Seconds(began)} s");
        Assert.That(await GetAsync(guard, "env?name=GREETING"), Is.EqualTo("hello"));
        TestContext.Progress.WriteLine($"first answer after {Seconds(began)} s");
        var gateway =
            (await _podman.RunAsync(["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", Board.Find("web")!.ContainerId!])).Trim();
        Assert.That(await GetAsync(guard, "echo"),
            Does.Contain($"\"remote\":\"{gateway}\"").And.Contain("\"method\":\"GET\"").And.Contain($"\"127.0.0.1:{guard}\""));
        var content = await _http.GetByteArrayAsync(new Uri($"http://127.0.0.1:{guard}/download?mib=3"));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(content)), Is.EqualTo(SampleContent.Sha256(3)));
        Assert.That(await FingerprintAsync(Catalog.Find("web")!.Listeners.Last().GuardPort), Is.EqualTo((await GetAsync(guard, "fingerprint")).Trim()));
        Assert.That(await EchoSocketAsync(guard, "over a socket"), Is.EqualTo("over a socket"));

        Catalog.SetDesired("web", DesiredState.Stopped);
        await UntilAsync(AppState.Stopped, AppReason.Owner);
        Assert.That(CanConnect(guard), Is.False);

        Catalog.SetDesired("web", DesiredState.Running);
        await UntilAsync(AppState.Running);
        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));

        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
        Assert.That(await _podman.RunAsync(["ps", "--all", "--quiet"]), Is.Empty);
    }

    [Test]
    public async Task Follower_ThenLeaderAgain_StopsAndStartsTheRealContainer()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        var leadership = _services.GetRequiredService<LeadershipRegistry>();

        leadership.Apply(new Dictionary<ResourceId, Role> { [ResourceId.App("web")] = Role.FollowerOf(null) });
        await UntilAsync(AppState.Stopped, AppReason.Follower);
        Assert.That(CanConnect(guard), Is.False);

        leadership.Apply(new Dictionary<ResourceId, Role>());
        await UntilAsync(AppState.Running);
        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));
    }

    [Test]
    public async Task Lock_RunningApp_StopsTheRealContainer()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);

        Store.Close();
        await UntilAsync(AppState.Stopped, AppReason.Locked);

        Assert.That(CanConnect(guard), Is.False);
        Assert.That(_services.GetRequiredService<ListenerTable>().Current, Is.Empty);
    }

    [Test]
    public async Task ContainerKilled_BehindOurBack_IsSeenAndStartedAgain()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        var seen = Board.Changed.Version;

        await _podman.RunAsync(["kill", Board.Find("web")!.ContainerId!]);
        await Board.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(Patience);
        await UntilAsync(AppState.Running);

        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));
    }

    /// <summary>SHA-256 of the certificate with which the app itself answers.</summary>
    private static async Task<string> FingerprintAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var tls = new SslStream(client.GetStream());
#pragma warning disable CA5359 // the certificate is what is looked at
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "piccolo-sample",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        });
#pragma warning restore CA5359
        return Convert.ToHexStringLower(SHA256.HashData(tls.RemoteCertificate!.GetRawCertData()));
    }

    private static async Task<string> EchoSocketAsync(int port, string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/ws"), patience.Token);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static bool CanConnect(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
