using System.Text.Json.Nodes;
using static Piccolo.Tests.Interop.InteropRig;

namespace Piccolo.Tests.Interop;

/// <summary>
/// The judgement of testssl.sh over a terminated name. In the slow lane: it starts some
/// thousand processes; OpenSslTests look at protocols and suites in each run.
/// </summary>
[Category("Interop"), Category("NeedsProcess"), Category("Slow")]
internal sealed class TestSslTests
{
    /// <summary>Findings about the test's own CA, which publishes no revocation; a public CA does.</summary>
    private static readonly string[] OfTheTestCa = ["cert_revocation"];

    private static readonly string[] Harmless = ["OK", "INFO", "LOW", "DEBUG"];

    /// <summary>Its client may leave before the ticket has come, and then it could not look: it says so as a warning, and is asked again.</summary>
    private const int Attempts = 3;

    [Test]
    public async Task TerminatedName_HasNoFindingOfMediumOrWorse()
    {
        await using var rig = await StartAsync();
        var (findings, output) = await JudgeAsync(rig, 1);
        for (var attempt = 2; attempt <= Attempts && findings.Exists(f => f.Severity == "WARN"); attempt++) (findings, output) = await JudgeAsync(rig, attempt);

        Assert.That(findings.Select(f => f.Id), Is.SupersetOf(new[] { "TLS1_3", "heartbleed", "LUCKY13" }), output);
        Assert.That(findings.Where(f => !Harmless.Contains(f.Severity) && !OfTheTestCa.Contains(f.Id)).Select(f => $"{f.Severity} {f.Id}: {f.Finding}"),
            Is.Empty);
        TestContext.Out.WriteLine(string.Join('\n', findings.Where(f => f.Severity is not ("OK" or "INFO")).Select(f => $"{f.Severity} {f.Id}: {f.Finding}")));
    }

    private static async Task<(List<(string Id, string Severity, string Finding)> Findings, string Output)> JudgeAsync(InteropRig rig, int attempt)
    {
        var report = rig.File($"report{attempt}.json");
        var run = await ToolRun.OfAsync(
            "testssl",
            [
                "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--add-ca", rig.RootFile, "--ip", "127.0.0.1", "--jsonfile", report,
                "--protocols", "--std", "--pfs", "--server-defaults", "--headers", "--vulnerable", $"{Host}:{rig.Port}",
            ],
            limit: TimeSpan.FromMinutes(5));
        var all = JsonNode.Parse(await File.ReadAllTextAsync(report))!.AsArray();
        return ([.. all.Select(f => ((string)f!["id"]!, (string)f["severity"]!, (string)f["finding"]!))], run.Output);
    }
}
