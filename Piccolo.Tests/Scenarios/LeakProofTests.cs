using Piccolo.Demo.Prove;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>What <c>./dev prove leaks</c> shows, as a test.</summary>
[Category("Scenario"), Category("NeedsPodman"), Category("NeedsPebble"), Category("Slow")]
internal sealed class LeakProofTests
{
    [Test]
    public async Task Locked_NothingOfTheOwnersSecretsIsLeftAnywhere()
    {
        using var folder = new TempFolder();
        using var printed = new StringWriter();

        var exit = await LeakProof.RunAsync(folder.File("proof"), printed);

        TestContext.Out.WriteLine(printed);
        Assert.That(printed.ToString(), Does.Match(@"LEAKS 0 of \d+ places"));
        Assert.That(exit, Is.Zero);
    }
}
