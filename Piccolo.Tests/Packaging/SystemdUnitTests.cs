using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Packaging;

/// <summary>The unit, judged by systemd's own tools.</summary>
[Category("NeedsProcess")]
internal sealed class SystemdUnitTests
{
    // Tenths. What is left: root, the network, files of the containers' users, and .NET's need for pages that are written and executed.
    private const int WorstExposure = 27;

    private static readonly string Unit = Repository.File("packaging/systemd/piccolo.service");

    [Test]
    public async Task Verify_Units_HaveNothingToSay()
    {
        using var folder = new TempFolder();
        var copies = Directory.EnumerateFiles(Path.GetDirectoryName(Unit)!).ToDictionary(unit => folder.File(Path.GetFileName(unit)));
        foreach (var (copy, unit) in copies)
        {
            // The programs are not installed where the tests run.
            var lines = File.ReadLines(unit).Select(l => l.StartsWith("ExecStart=", StringComparison.Ordinal) ? "ExecStart=/bin/true" : l);
            await File.WriteAllLinesAsync(copy, lines);
        }

        var units = copies.Keys.Select(c => c.Replace("@.", "@1.", StringComparison.Ordinal));
        var run = await ToolRun.OfAsync("systemd-analyze", ["verify", "--man=no", .. units]);

        Assert.That(copies, Has.Count.EqualTo(3));
        Assert.That((run.ExitCode, string.Join('\n', run.Output.Split('\n').Where(l => l.Contains("piccolo", StringComparison.Ordinal)))),
            Is.EqualTo((0, "")), "unknown keys are only warned of");
    }

    /// <summary>Any of these gives a unit a view of the file system of its own, in which a mount would be nobody else's (systemd.exec(5)).</summary>
    [Test]
    public void VolumesUnit_StaysInTheHostsViewOfTheFileSystem()
    {
        string[] separating =
        [
            "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateMounts", "ProtectKernelTunables", "ProtectKernelModules",
            "ProtectKernelLogs", "ProtectControlGroups", "ProtectHostname", "ProtectProc", "ProcSubset", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths",
            "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "RootDirectory", "RootImage", "MountImages", "ExtensionImages",
            "DynamicUser", "PrivateUsers", "MountFlags", "LoadCredential", "SetCredential",
        ];
        var set = File.ReadLines(Path.Combine(Path.GetDirectoryName(Unit)!, "piccolo-volumes@.service")).Select(l => l.Split('=')[0]);

        Assert.That(set.Intersect(separating, StringComparer.Ordinal), Is.Empty);
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
