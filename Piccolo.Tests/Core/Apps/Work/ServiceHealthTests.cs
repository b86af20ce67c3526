using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Work;

namespace Piccolo.Tests.Core.Apps.Work;

internal sealed class ServiceHealthTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly HealthCheckDefinition Check = new()
    {
        TcpPort = 80,
        Interval = TimeSpan.FromSeconds(30),
        Retries = 3,
        StartPeriod = TimeSpan.FromSeconds(60),
    };

    private readonly ServiceHealth _health = new();

    [SetUp]
    public void Begin() => _health.Started(Start);

    [Test]
    public void Started_NothingAskedYet_IsStartingAndDueAtOnce() =>
        Assert.That((_health.State, _health.NextCheck), Is.EqualTo((HealthState.Starting, Start)));

    [Test]
    public void Success_WhileStarting_IsHealthyAndAskedAtItsInterval()
    {
        _health.Record(null, Check, Start.AddSeconds(5));

        Assert.That((_health.State, _health.NextCheck), Is.EqualTo((HealthState.Healthy, Start.AddSeconds(35))));
    }

    [Test]
    public void Failures_WithinTheStartPeriod_DoNotCountAndAreAskedEachSecond()
    {
        for (var second = 0; second < 60; second++)
        {
            _health.Record("No.", Check, Start.AddSeconds(second));
            Assert.That((_health.State, _health.NextCheck), Is.EqualTo((HealthState.Starting, Start.AddSeconds(second + 1))));
        }

        _health.Record("No.", Check, Start.AddSeconds(60));

        Assert.That((_health.State, _health.Reason), Is.EqualTo((HealthState.Unhealthy, "No.")));
    }

    [Test]
    public void Failures_OfOneThatWasHealthy_CountFromTheFirst()
    {
        _health.Record(null, Check, Start.AddSeconds(1));

        _health.Record("No.", Check, Start.AddSeconds(31));
        _health.Record("No.", Check, Start.AddSeconds(32));
        Assert.That(_health.State, Is.EqualTo(HealthState.Healthy));
        _health.Record("No.", Check, Start.AddSeconds(33));

        Assert.That(_health.State, Is.EqualTo(HealthState.Unhealthy));
    }

    [Test]
    public void Success_AfterUnhealthy_IsHealthyAgainWithoutAReason()
    {
        _health.Record(null, Check, Start);
        for (var n = 0; n < 3; n++) _health.Record("No.", Check, Start.AddSeconds(n));

        _health.Record(null, Check, Start.AddSeconds(90));

        Assert.That((_health.State, _health.Reason), Is.EqualTo((HealthState.Healthy, "")));
    }
}
