using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Core.Network;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Core.Network;

/// <summary>The kernel's own reports: links are made and removed.</summary>
[Category("NeedsRoot")]
internal sealed class NetworkWatchTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Link_ThatComesAndGoes_RaisesTheSignalEachTime()
    {
        var name = $"pwt{Environment.ProcessId}";
        using var limit = new CancellationTokenSource(Limit);
        using var watch = new NetworkWatch(TimeProvider.System, NullLogger<NetworkWatch>.Instance);
        await watch.StartAsync(limit.Token);
        try
        {
            await watch.Changed.WaitAsync(0, limit.Token);

            await ToolAsync("link", "add", name, "type", "veth", "peer", "name", name + "p");
            await SeenAsync(watch, interfaces => interfaces.Contains(name), limit.Token);
            await ToolAsync("link", "delete", name);
            await SeenAsync(watch, interfaces => !interfaces.Contains(name), limit.Token);
        }
        finally
        {
            await watch.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>Reads only after a signal, as everybody who watches does: a change without a signal is never seen.</summary>
    private static async Task SeenAsync(NetworkWatch watch, Func<IEnumerable<string>, bool> expected, CancellationToken cancellationToken)
    {
        while (true)
        {
            var seen = watch.Changed.Version;
            if (HostInterfaces.TryRead(out var interfaces, out _) && expected(interfaces.Select(i => i.Name))) return;
            await watch.Changed.WaitAsync(seen, cancellationToken);
        }
    }

    private static async Task ToolAsync(params string[] arguments)
    {
        var run = await ToolRun.OfAsync("ip", arguments);
        Assert.That(run.ExitCode, Is.Zero, run.Output);
    }
}
