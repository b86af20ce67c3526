using Piccolo.Core.Apps;

namespace Piccolo.Tests.Core.Apps;

/// <summary>The supervisor over a container runtime that records what it is asked for.</summary>
internal abstract class AppSupervisorFixture
{
    protected const string Sample = "localhost/sample:latest";

    private protected AppRig _rig;

    [SetUp]
    public void SetUp() => _rig = new AppRig();

    [TearDown]
    public async Task TearDown()
    {
        await _rig.DisposeAsync();
        Assert.That(_rig.Runtime.Overlaps, Is.Zero, "two operations of one app at a time");
    }

    protected async Task RunWebAsync()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        await _rig.StartAsync();
        await _rig.UntilAsync("web", AppState.Running);
    }
}
