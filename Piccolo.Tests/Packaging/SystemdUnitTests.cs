using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Packaging;

/// <summary>The units, judged by systemd's own tools.</summary>
[Category("NeedsProcess")]
internal sealed class SystemdUnitTests
{
    // Tenths. What is left: root, the network, files of the containers' users, and .NET's need for pages that are written and executed.
    private const int WorstExposure = 27;

    private static readonly string[] Units = [.. Directory.EnumerateFiles(Repository.File("packaging/systemd")).Select(Path.GetFileName).OfType<string>()];

    [Test]
    public void Units_AreAllLookedAt() =>
        Assert.That(Units, Is.EquivalentTo(new[]
        {
            "piccolo.service", "piccolo-firewall.socket", "piccolo-firewall@.service", "piccolo-volumes.socket", "piccolo-volumes@.service",
        }));

    [TestCaseSource(nameof(Units))]
    public async Task Verify_Unit_HasNothingToSay(string unit)
    {
        using var folder = new TempFolder();
        // The program is not installed where the tests run; the units name each other.
        foreach (var each in Units)
        {
            await File.WriteAllLinesAsync(folder.File(each), File.ReadLines(FileOf(each)).Select(
                l => l.StartsWith("ExecStart=/usr/lib", StringComparison.Ordinal) ? "ExecStart=/bin/true" : l));
        }

        var run = await ToolRun.OfAsync("systemd-analyze", ["verify", "--man=no", folder.File(unit)]);

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
        var set = File.ReadLines(FileOf("piccolo-volumes@.service")).Select(l => l.Split('=')[0]);

        Assert.That(set.Intersect(separating, StringComparer.Ordinal), Is.Empty);
    }

    [TestCase("piccolo.service")]
    [TestCase("piccolo-firewall@.service")]
    public async Task Security_Unit_StaysBelowTheThreshold(string unit)
    {
        var run = await ToolRun.OfAsync("systemd-analyze", ["security", "--no-pager", "--offline=true", $"--threshold={WorstExposure}", FileOf(unit)]);

        Assert.That(run.ExitCode, Is.Zero, run.Output.TrimEnd().Split('\n')[^1]);
    }

    /// <summary>The rights to the firewall and to mount are where they are used, and nowhere else.</summary>
    [Test]
    public void Capabilities_OfTheUnits_AreThoseThatEachUses()
    {
        Assert.That(Lines("piccolo.service", "CapabilityBoundingSet="),
            Is.EqualTo(new[] { "CAP_NET_BIND_SERVICE CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_LINUX_IMMUTABLE" }));
        Assert.That(Lines("piccolo-firewall@.service", "CapabilityBoundingSet="), Is.EqualTo(new[] { "CAP_NET_ADMIN" }));
        Assert.That(Lines("piccolo-firewall.socket", "SocketMode="), Is.EqualTo(new[] { "0600" }));
        Assert.That(Lines("piccolo-firewall.socket", "ListenStream="), Is.EqualTo(new[] { new Piccolo.Core.Containers.ContainerOptions().FirewallSocket }));
    }

    [TestCaseSource(nameof(Units))]
    public void Documentation_OfTheUnit_IsInstalledByThePackage(string unit)
    {
        var named = File.ReadLines(FileOf(unit)).Where(l => l.StartsWith("Documentation=", StringComparison.Ordinal))
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

    private static string FileOf(string unit) => Repository.File(Path.Combine("packaging/systemd", unit));

    private static IEnumerable<string> Lines(string unit, string key) =>
        File.ReadLines(FileOf(unit)).Where(l => l.StartsWith(key, StringComparison.Ordinal)).Select(l => l[key.Length..]);
}
