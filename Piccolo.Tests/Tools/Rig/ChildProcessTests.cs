using System.Diagnostics;
using Piccolo.Rig;
using Piccolo.Tests.Core.Certificates;

namespace Piccolo.Tests.Tools.Rig;

[Category("NeedsProcess")]
internal sealed class ChildProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Start_ProgramMissing_NamesThePackage() => Assert.That(
        () => ChildProcess.Start(Shell("") with { Program = "no-such-program", Package = "its-package" }),
        Throws.InvalidOperationException.With.Message.Contains("apt-get install its-package"));

    [Test]
    public async Task Dispose_RunningWithAChild_KillsBoth()
    {
        var child = ChildProcess.Start(Shell("sleep 1000 & echo started $!; wait"));
        var line = await child.WaitForLineAsync("started", Patience);
        var grandchild = Process.GetProcessById(int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));

        await child.DisposeAsync();

        await child.Exited.WaitAsync(Patience);
        await grandchild.WaitForExitAsync().WaitAsync(Patience);
    }

    [Test]
    public async Task WaitForLine_PrintedBefore_IsFoundAndLogged()
    {
        await using var child = ChildProcess.Start(Shell("echo out $WORD; echo err >&2; exec cat /dev/zero > /dev/null"));
        await child.WaitForLineAsync("err", Patience);

        Assert.That(await child.WaitForLineAsync("out", Patience), Is.EqualTo("out hello"));
    }

    [Test]
    public async Task WaitForLine_ReadAfterTheProcessHasEnded_IsFound()
    {
        // What reads its output hears of the last line later than of its end.
        await using var child = ChildProcess.Start(Shell("(sleep 0.5; echo last words) & exit 7"));

        Assert.That(await child.WaitForLineAsync("last words", Patience), Is.EqualTo("last words"));
    }

    [Test]
    public async Task Tell_ChildThatIsTold_ReadsTheLine()
    {
        await using var child = ChildProcess.Start(Shell("read order; echo it was $order; read order; echo never") with { IsTold = true });

        await child.TellAsync("come");

        Assert.That(await child.WaitForLineAsync("it was", Patience), Is.EqualTo("it was come"));
        Assert.That(child.Exited.IsCompleted, Is.False, "it waits for more");
    }

    [Test]
    public async Task Input_OfWhoIsNotTold_HasEnded()
    {
        await using var child = ChildProcess.Start(Shell("cat; echo read to the end; exec sleep 1000"));

        await child.WaitForLineAsync("read to the end", Patience);
    }

    [Test]
    public async Task WaitForPort_ProcessEnds_FailsWithItsLastWords()
    {
        await using var child = ChildProcess.Start(Shell("echo I give up; exit 7"));
        await child.Exited.WaitAsync(Patience);

        Assert.That(
            async () => await child.WaitForPortAsync(LoopbackPorts.Free(1)[0], Patience),
            Throws.InvalidOperationException.With.Message.Contains("code 7").And.Message.Contains("sh.log"));
    }

    private ChildProcessStart Shell(string script) => new("sh", ["-c", script], Path.Combine(_folder.Path, "sh.log"), "dash")
    {
        Environment = new Dictionary<string, string> { ["WORD"] = "hello" },
    };
}
