using System.Net.Sockets;
using System.Text;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Rig.Stack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>A container engine that no longer answers when the owner locks: the container cannot be stopped, but nobody reaches it any more.</summary>
[Category("Scenario"), Category("NeedsPodman")]
internal sealed class LockWithoutEngineTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Lock_EngineIsGone_ConnectionsToTheAppEndAllTheSame()
    {
        using var folder = new TempFolder();
        await using var podman = await PodmanServer.StartAsync();
        await SampleImage.ImportAsync(podman);
        await using var daemon = await ApplianceProcess.StartAsync(folder.File("state"), folder.File("daemon.log"), LoopbackPorts.Free(1)[0],
            new Dictionary<string, string>
            {
                ["Piccolo:Containers:Socket"] = podman.SocketPath,
                ["Piccolo:Lock:Patience"] = "00:00:01",
            });
        await daemon.Api.SetUpAsync(TestAppliance.Password);
        await daemon.Api.UnlockAsync(TestAppliance.Password);
        await daemon.Api.TakeTokenAsync("test");
        await daemon.Api.InstallAsync(Manifests.Web(SampleImage.Name));
        var lan = await PortAsync(daemon);
        using var visitor = new TcpClient("127.0.0.1", lan);
        await AskAsync(visitor);
        File.Move(podman.SocketPath, podman.SocketPath + ".away");

        var (answer, _) = await daemon.LockAsync();
        File.Move(podman.SocketPath + ".away", podman.SocketPath);

        Assert.That((string?)answer["message"], Is.EqualTo("locked"));
        Assert.That((string?)answer["unfinished"]![0]!["reason"], Does.Contain("cannot be seen").And.Contain("All connections to apps are ended"));
        Assert.That(async () => await AskAsync(visitor), Throws.InstanceOf<IOException>());
        Assert.That(() => new TcpClient("127.0.0.1", lan), Throws.InstanceOf<SocketException>());
        // The new image goes on where the old one was interrupted.
        while ((await daemon.Api.GetAsync("/api/v1/crypto/status"))["unfinished"] is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
    }

    private static async Task<int> PortAsync(ApplianceProcess daemon)
    {
        while (true)
        {
            var web = (await daemon.Api.GetAsync("/api/v1/services"))["services"]!.AsArray().Single(s => (string?)s!["name"] == "web")!;
            if ((string?)web["state"] == "ok") return (int)web["public_port"]!;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    private static async Task AskAsync(TcpClient visitor)
    {
        await visitor.GetStream().WriteAsync("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8.ToArray());
        var buffer = new byte[4096];
        var read = await visitor.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Limit);
        if (read == 0) throw new IOException("The connection has ended.");
        Assert.That(Encoding.ASCII.GetString(buffer, 0, read), Does.StartWith("HTTP/1.1 200"));
    }
}
