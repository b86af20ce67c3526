using System.Diagnostics;
using System.Globalization;
using Piccolo.Rig.Podman;

namespace Piccolo.Tests.Tools.Rig;

/// <remarks>Not beside others: whoever starts a server sweeps what this test leaves behind.</remarks>
[Category("NeedsPodman")]
[NonParallelizable]
internal sealed class PodmanServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Start_AfterAnOwnerWasKilled_RemovesItsServiceAndFolder()
    {
        await using var left = await PodmanServer.StartAsync().WaitAsync(Patience);
        using var service = Process.GetProcessById(left.ProcessId);
        // No process can have this number: it is above the kernel's limit.
        await File.WriteAllTextAsync(left.Folder.OwnerFile, int.MaxValue.ToString(CultureInfo.InvariantCulture));

        await using var next = await PodmanServer.StartAsync().WaitAsync(Patience);

        await service.WaitForExitAsync().WaitAsync(Patience);
        Assert.That(Directory.Exists(left.Folder.Root), Is.False);
        Assert.That(Directory.Exists(next.Folder.Root), Is.True);
    }

    [Test]
    public async Task Start_TwoAtATime_StayApart()
    {
        var servers = await Task.WhenAll(PodmanServer.StartAsync(), PodmanServer.StartAsync()).WaitAsync(Patience);

        Assert.That(servers[0].SocketPath, Is.Not.EqualTo(servers[1].SocketPath));
        foreach (var server in servers)
        {
            Assert.That(await server.RunAsync(["images", "--quiet"]), Is.Empty);
            await server.DisposeAsync();
            Assert.That(Directory.Exists(server.Folder.Root), Is.False);
        }
    }
}
