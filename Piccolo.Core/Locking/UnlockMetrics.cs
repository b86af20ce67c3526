using System.Diagnostics.Metrics;
using System.Text.Json;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Locking;

/// <summary>Counts attempts to unlock, by outcome.</summary>
public sealed class UnlockMetrics
{
    private readonly Counter<long> _attempts;

    // The meter of the appliance's other gauges: the factory returns the same one.
    public UnlockMetrics(IMeterFactory meters) =>
        _attempts = meters.Create("Piccolo.Appliance").CreateCounter<long>("piccolo.vault.attempts", "{attempt}", "Attempts to open the vault, by outcome.");

    public void Attempt(VaultOutcome outcome) =>
        _attempts.Add(1, new KeyValuePair<string, object?>("outcome", JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString())));
}
