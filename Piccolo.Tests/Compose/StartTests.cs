using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Compose;

/// <summary><c>compose/images/start</c>: addresses in place of names.</summary>
[Category("NeedsProcess")]
internal sealed class StartTests
{
    [Test]
    public async Task Start_NamesInArguments_BecomeAddresses()
    {
        var run = await ToolRun.OfAsync(Repository.File("compose/images/start"),
            ["printf", "[%s]", "@localhost", "--Resolver=@localhost:53", "", "two words", "plain"]);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, "[127.0.0.1][--Resolver=127.0.0.1:53][][two words][plain]")));
    }

    [Test]
    public async Task Start_ProgramFails_EndsAsItDid() =>
        Assert.That((await ToolRun.OfAsync(Repository.File("compose/images/start"), ["sh", "-c", "exit 7"])).ExitCode, Is.EqualTo(7));
}
