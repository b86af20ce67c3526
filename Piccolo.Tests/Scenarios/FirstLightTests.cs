using Piccolo.Demo;
using Piccolo.Rig;
using Piccolo.Rig.Stack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>The main job with real parts: Pebble, its DNS, DevRelay, Podman, and the appliance as a process of its own.</summary>
[Category("Scenario"), Category("NeedsPodman"), Category("NeedsPebble")]
internal sealed class FirstLightTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Test]
    public async Task FromNothing_ToAnAppOnTheInternet_AndAFollower()
    {
        using var folder = new TempFolder();
        using var printed = new StringWriter();
        var timeline = new Timeline(printed);
        await using (var stack = await DemoStack.StartAsync(folder.File("demo"), DemoBreak.None, timeline))
            await new DemoFlow(stack, timeline, Patience).RunAsync();

        var lines = printed.ToString();
        TestContext.Out.WriteLine(lines);
        Assert.That(lines,
            Does.Match(@"REMOTE HTTPS OK https://web\.home\.test status=200 issuer=""Pebble Intermediate CA [0-9a-f]+"" client_ip_seen=127\.0\.0\.77 total="));
        Assert.That(lines, Does.Contain("PORTAL OK https://portal.home.test status=200"));
        Assert.That(lines, Does.Match("PASSTHROUGH OK https://raw.home.test fingerprint=[0-9A-F]{64}"));
        Assert.That(lines, Does.Contain("HOTUPDATE OK added=second.home.test removed=second.home.test download=intact"));
        Assert.That(lines, Does.Contain("FOLLOWER OK app=web state=stopped route=tunnel"));
        Assert.That(lines, Does.Contain("DATA OK app=notes rows=5 after=kill9 after_lock=sealed"));
    }

    [TestCase(DemoBreak.Dns, "could not resolve", Category = "Slow")]
    [TestCase(DemoBreak.Ca, "certificate authority", Category = "Slow")]
    [TestCase(DemoBreak.Relay, "relay cannot be reached", Category = "Slow")]
    [TestCase(DemoBreak.Podman, "container engine does not answer", Category = "Slow")]
    public async Task PartTakenAway_CauseIsNamed(DemoBreak part, string cause)
    {
        using var folder = new TempFolder();
        var timeline = new Timeline(TextWriter.Null);
        await using var stack = await DemoStack.StartAsync(folder.File("demo"), part, timeline);

        var failure = await Assert.CatchAsync<DemoFailedException>(() => new DemoFlow(stack, timeline, TimeSpan.FromSeconds(15)).RunAsync());

        Assert.That(failure!.Message, Does.Contain(cause).IgnoreCase);
    }
}
