using Piccolo.Rig;
using Piccolo.Tests.Fakes.Authorities;

namespace Piccolo.Tests.Core.Certificates.Orders;

/// <summary>kill -9 at each step of an order: the next process takes the same order up, or finishes without one.</summary>
[Category("Acme"), Category("Kill")]
[Category("NeedsProcess")]
internal sealed class KilledOrderTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [TestCase("Ordered")]
    [TestCase("Placed")]
    [TestCase("Finalized")]
    [TestCase("Downloaded")]
    [TestCase("Begun", Category = "Slow")]
    [TestCase("AccountReady", Category = "Slow")]
    [TestCase("Presented", Category = "Slow")]
    [TestCase("Responded", Category = "Slow")]
    [TestCase("Validated", Category = "Slow")]
    [TestCase("Stored", Category = "Slow")]
    public async Task Killed_AtAStep_MakesOneOrder(string step)
    {
        using var folder = new TemporaryFolder();
        await using var ca = await HostileCa.StartAsync(folder.Path);
        var key = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        await using (var killed = Start("killed", step))
        {
            await killed.WaitForLineAsync("REACHED " + step, Limit);
            // Disposal is SIGKILL: nothing is flushed, nothing is said.
        }

        await using var next = Start("next");
        await next.WaitForLineAsync("ISSUED", Limit);

        Assert.That(Directory.GetFileSystemEntries(Path.Combine(folder.Path, "state"), "*", SearchOption.AllDirectories)
            .Where(path => path.Contains("home.test", StringComparison.Ordinal)),
            Is.Empty, "no name that is certified becomes a path");
        Assert.That(ca.Count("new-order"), Is.EqualTo(1));
        Assert.That(ca.Count("new-account"), Is.EqualTo(1));
        Assert.That(ca.Count("finalize"), Is.EqualTo(1), "a certificate is made once");

        ChildProcess Start(string name, params string[] stop) => ChildProcess.Start(new ChildProcessStart(
            "dotnet",
            ["exec", typeof(KilledChild).Assembly.Location, KilledChild.Command, Path.Combine(folder.Path, "state"), ca.DirectoryUrl.AbsoluteUri, ca.TrustFile,
                key, .. stop],
            Path.Combine(folder.Path, name + ".log"), "dotnet-sdk"));
    }
}
