using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Health;

namespace Piccolo.Tests.Core.Health;

internal sealed class HealthTrackerTests
{
    private readonly FakeTimeProvider _time = new();
    private HealthTracker _health = null!;

    private static readonly string[] Components =
    [
        HealthComponents.Vault, HealthComponents.Store, HealthComponents.Containers, HealthComponents.Ingress,
        HealthComponents.Tunnel, HealthComponents.Certificates, HealthComponents.Leadership,
    ];

    [SetUp]
    public void SetUp() => _health = new HealthTracker(_time, NullLogger<HealthTracker>.Instance);

    [TestCaseSource(nameof(Components))]
    public void Transitions_OkDegradedFatalCleared_ShowOnTheComponent(string component)
    {
        var levels = new List<HealthLevel>();

        _health.Ok(component, "works");
        levels.Add(LevelOf(component));
        _health.Degraded(component, "slow");
        levels.Add(LevelOf(component));
        _health.Latch(FaultCode.StoreCorrupt, component, "broken");
        levels.Add(LevelOf(component));
        _health.Ok(component, "says it works, but the fault is latched");
        levels.Add(LevelOf(component));
        _health.Clear(FaultCode.StoreCorrupt);
        levels.Add(LevelOf(component));

        Assert.That(levels, Is.EqualTo(new[] { HealthLevel.Ok, HealthLevel.Degraded, HealthLevel.Fatal, HealthLevel.Fatal, HealthLevel.Ok }));
    }

    [Test]
    public void Ready_DegradedComponents_StaysTrue()
    {
        foreach (var component in Components) _health.Degraded(component, "so so");

        Assert.That(_health.Snapshot.Ready, Is.True);
        Assert.That(_health.Snapshot.Overall, Is.EqualTo(HealthLevel.Degraded));
    }

    [Test]
    public void Ready_TwoFaults_NeedsBothCleared()
    {
        _health.Latch(FaultCode.StoreCorrupt, HealthComponents.Store, "a");
        _health.Latch(FaultCode.KeysetCorrupt, HealthComponents.Vault, "b");

        Assert.That(_health.Snapshot.Ready, Is.False);
        _health.Clear(FaultCode.StoreCorrupt);
        Assert.That(_health.Snapshot.Ready, Is.False);
        _health.Clear(FaultCode.KeysetCorrupt);
        Assert.That(_health.Snapshot.Ready, Is.True);
    }

    [TestCase(FaultCode.DiskFull, false)]
    [TestCase(FaultCode.ReadOnly, false)]
    [TestCase(FaultCode.StoreCorrupt, true)]
    [TestCase(FaultCode.KeysetMissing, true)]
    public void Latch_Code_SaysWhetherARollbackCouldHelp(FaultCode code, bool rollback)
    {
        _health.Latch(code, HealthComponents.Store, "x");

        Assert.That(_health.Snapshot.Faults[code].Rollback, Is.EqualTo(rollback));
    }

    [Test]
    public void Since_SameLevelReportedAgain_Stays()
    {
        _health.Degraded(HealthComponents.Tunnel, "first");
        var since = _health.Snapshot.Reported[HealthComponents.Tunnel].Since;
        _time.Advance(TimeSpan.FromMinutes(1));
        _health.Degraded(HealthComponents.Tunnel, "second");

        var now = _health.Snapshot.Reported[HealthComponents.Tunnel];
        Assert.That(now.Since, Is.EqualTo(since));
        Assert.That(now.Message, Is.EqualTo("second"));
    }

    private HealthLevel LevelOf(string component) => _health.Snapshot.Components.Single(c => c.Name == component).Level;
}
