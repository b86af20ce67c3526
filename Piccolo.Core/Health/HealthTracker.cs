using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Health;

/// <summary>
/// What each component last reported, and the fatal faults that are latched. A latched fault outranks what its component reports later, until it is
/// cleared. Snapshots are immutable; thread-safe.
/// </summary>
public sealed class HealthTracker(TimeProvider time, ILogger<HealthTracker> logger)
{
    private readonly Lock _gate = new();
    private HealthSnapshot _snapshot = HealthSnapshot.Empty;

    public HealthSnapshot Snapshot => Volatile.Read(ref _snapshot);

    /// <summary>Raised after each change of <see cref="Snapshot"/>.</summary>
    public ChangeSignal Changed { get; } = new();

    public void Ok(string component, string message) => Report(component, HealthLevel.Ok, message);

    public void Degraded(string component, string message) => Report(component, HealthLevel.Degraded, message);

    /// <summary>Latches a fault. A second report of the same code keeps the first time and takes the newer detail.</summary>
    public void Latch(FaultCode code, string component, string detail)
    {
        lock (_gate)
        {
            var known = _snapshot.Faults.GetValueOrDefault(code);
            var fault = new FatalFault(
                code, component, detail, known?.Since ?? time.GetUtcNow(), code is not (FaultCode.DiskFull or FaultCode.ReadOnly or FaultCode.StoreBusy));
            Volatile.Write(ref _snapshot, _snapshot with { Faults = _snapshot.Faults.SetItem(code, fault) });
            if (known is null) logger.FaultLatched(code, component, detail);
        }
        Changed.Raise();
    }

    /// <returns>Whether the fault was latched.</returns>
    public bool Clear(FaultCode code)
    {
        lock (_gate)
        {
            if (!_snapshot.Faults.ContainsKey(code)) return false;
            Volatile.Write(ref _snapshot, _snapshot with { Faults = _snapshot.Faults.Remove(code) });
            logger.FaultCleared(code);
        }
        Changed.Raise();
        return true;
    }

    private void Report(string component, HealthLevel level, string message)
    {
        lock (_gate)
        {
            var known = _snapshot.Reported.GetValueOrDefault(component);
            if (known is not null && known.Level == level && known.Message == message) return;
            var since = known?.Level == level ? known.Since : time.GetUtcNow();
            var next = new ComponentHealth(component, level, message, since);
            Volatile.Write(ref _snapshot, _snapshot with { Reported = _snapshot.Reported.SetItem(component, next) });
        }
        Changed.Raise();
    }
}

/// <summary>One moment of the appliance's health.</summary>
public sealed record HealthSnapshot(ImmutableSortedDictionary<string, ComponentHealth> Reported, ImmutableSortedDictionary<FaultCode, FatalFault> Faults)
{
    public static readonly HealthSnapshot Empty = new(
        ImmutableSortedDictionary.Create<string, ComponentHealth>(StringComparer.Ordinal), ImmutableSortedDictionary<FaultCode, FatalFault>.Empty);

    /// <summary>Whether the appliance may stay: no fatal fault is latched. Role and lock never count.</summary>
    public bool Ready => Faults.IsEmpty;

    public HealthLevel Overall => !Ready ? HealthLevel.Fatal : Components.Any(c => c.Level == HealthLevel.Degraded) ? HealthLevel.Degraded : HealthLevel.Ok;

    /// <summary>The components as they really are: a latched fault shows on its component whatever that reported since.</summary>
    public IEnumerable<ComponentHealth> Components =>
        Reported.Keys.Union(Faults.Values.Select(f => f.Component), StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(Effective);

    private ComponentHealth Effective(string name)
    {
        var fault = Faults.Values.FirstOrDefault(f => f.Component == name);
        return fault is null ? Reported[name] : new ComponentHealth(name, HealthLevel.Fatal, fault.Detail, fault.Since);
    }
}
