using System.Diagnostics;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Tools.Script;

/// <summary>The scripts that a newcomer runs first.</summary>
[Category("NeedsProcess")]
internal sealed class SetupScriptTests
{
    [Test]
    public async Task Scripts_Shellcheck_FindsNothing()
    {
        string[] scripts = ["dev", ".ci/run", "compose/prepare", .. Directory.EnumerateFiles(Repository.File("tools"), "*.sh", SearchOption.AllDirectories)];
        var (status, output) = await RunAsync("shellcheck", ["--external-sources", .. scripts]);
        Assert.That(status, Is.Zero, output);
    }

    [Test]
    public async Task Setup_EveryKindOfMachine_Decides()
    {
        var (status, output) = await RunAsync(Repository.File("tools/dev/setup-test.sh"), []);
        Assert.That(status, Is.Zero, output);
        Assert.That(output, Does.Contain("ok Debian arm64").And.Contain("ok Ubuntu arm64").And.Not.Contain("FAILED"));
    }

    private static async Task<(int Status, string Output)> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync() + await errors;
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}
