using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Platform;
using Piccolo.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Platform;

internal sealed class WatchdogTests
{
    [TestCase(null, null, null)]
    [TestCase("", null, null)]
    [TestCase("0", null, null)]
    [TestCase("-5", null, null)]
    [TestCase("99999999999999999999", null, null)]
    [TestCase("60000000", null, 30)]
    [TestCase("60000000", "42", 30)]
    [TestCase("60000000", "43", null)]
    public void Interval_Environment_IsHalfOfWhatIsAskedForThisProcess(string? microseconds, string? processId, int? seconds) =>
        Assert.That(Watchdog.Interval(microseconds, processId, own: 42)?.TotalSeconds, Is.EqualTo(seconds));

    [Test]
    public async Task SelfCheck_StoreThatLetsNobodyIn_FailsUntilItDoes()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        var check = appliance.Services.GetRequiredService<SelfCheck>();
        var store = appliance.Services.GetRequiredService<SealedStore>();
        Assert.That(await check.FindFaultAsync(TimeSpan.FromSeconds(10)), Is.Null);

        using var inside = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        var stuck = Task.Run(() => store.Commit(_ =>
        {
            inside.Release();
            leave.Wait(TimeSpan.FromSeconds(30));
        }));
        await inside.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(await check.FindFaultAsync(TimeSpan.FromMilliseconds(200)), Is.EqualTo("the store lets nobody in"));

        leave.Set();
        await stuck.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(await check.FindFaultAsync(TimeSpan.FromSeconds(10)), Is.Null);
    }
}
