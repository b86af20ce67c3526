using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Packaging;

/// <summary>The unit, judged by systemd's own tools.</summary>
[Category("NeedsProcess")]
internal sealed class SystemdUnitTests
{
    // Tenths. What is left: root, the network, and .NET's need for pages that are written and executed.
    private const int WorstExposure = 25;

    private static readonly string Unit = Repository.File("packaging/systemd/piccolo.service");

    [Test]
    public async Task Verify_Unit_HasNothingToSay()
    {
        using var folder = new TempFolder();
        var copy = folder.File("piccolo.service");
        // The program is not installed where the tests run.
        await File.WriteAllLinesAsync(copy, File.ReadLines(Unit).Select(l => l.StartsWith("ExecStart=", StringComparison.Ordinal) ? "ExecStart=/bin/true" : l));

        var run = await ToolRun.OfAsync("systemd-analyze", ["verify", "--man=no", copy]);

        Assert.That((run.ExitCode, string.Join('\n', run.Output.Split('\n').Where(l => l.Contains("piccolo.service", StringComparison.Ordinal)))),
            Is.EqualTo((0, "")), "unknown keys are only warned of");
    }

    [Test]
    public async Task Security_Unit_StaysBelowTheThreshold()
    {
        var run = await ToolRun.OfAsync("systemd-analyze", ["security", "--no-pager", "--offline=true", $"--threshold={WorstExposure}", Unit]);

        Assert.That(run.ExitCode, Is.Zero, run.Output.TrimEnd().Split('\n')[^1]);
    }

    [Test]
    public void Documentation_OfTheUnit_IsInstalledByThePackage()
    {
        var named = File.ReadLines(Unit).Where(l => l.StartsWith("Documentation=", StringComparison.Ordinal))
            .SelectMany(l => l["Documentation=".Length..].Split(' ')).ToList();
        // | `file` | goes to | why |
        var installed = File.ReadLines(Repository.File("packaging/README.md")).Where(l => l.StartsWith("| `", StringComparison.Ordinal))
            .Select(l => l.Split('`')).Where(c => c.Length > 3)
            .ToDictionary(c => "file://" + c[3] + Path.GetFileName(c[1]), c => Repository.File(Path.Combine("packaging", c[1])));

        Assert.That(named, Is.Not.Empty);
        foreach (var document in named)
        {
            Assert.That(installed, Does.ContainKey(document), "the table of packaging/README.md says what is installed where");
            Assert.That(installed[document], Does.Exist);
        }
    }
}
