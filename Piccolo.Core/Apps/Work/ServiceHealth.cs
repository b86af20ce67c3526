using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Core.Apps.Work;

/// <summary>What is known of a service's health since its container started.</summary>
internal enum HealthState
{
    /// <summary>Nothing succeeded yet, and it may still be starting.</summary>
    Starting,
    Healthy,
    Unhealthy,
}

/// <summary>Counts a service's checks: when the next is due, and what the last ones say. Pure but for what it remembers.</summary>
internal sealed class ServiceHealth
{
    /// <summary>While a service starts it is asked often: others may wait for it.</summary>
    public static readonly TimeSpan StartingInterval = TimeSpan.FromSeconds(1);

    private DateTimeOffset _startedAt;
    private int _failures;

    public HealthState State { get; private set; }

    public DateTimeOffset NextCheck { get; private set; }

    /// <summary>What the last check said; empty after a success.</summary>
    public string Reason { get; private set; } = "";

    public void Started(DateTimeOffset now) => (_startedAt, _failures, State, NextCheck, Reason) = (now, 0, HealthState.Starting, now, "");

    /// <param name="failure">Null = it succeeded.</param>
    public void Record(string? failure, HealthCheckDefinition check, DateTimeOffset now)
    {
        Reason = failure ?? "";
        _failures = failure is null ? 0 : _failures + 1;
        if (failure is null) State = HealthState.Healthy;
        // Within the start period nothing but a success counts; one that was healthy already is not starting any more.
        else if (_failures >= check.Retries && (State == HealthState.Healthy || now - _startedAt >= check.StartPeriod)) State = HealthState.Unhealthy;
        NextCheck = now + (State == HealthState.Starting && check.Interval > StartingInterval ? StartingInterval : check.Interval);
    }
}
