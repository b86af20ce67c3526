using System.Collections.Immutable;
using Piccolo.Core.Health;

namespace Piccolo.Core.Certificates;

/// <summary>Says in one sentence how the wanted certificates are.</summary>
internal sealed class CertificateHealth(HealthTracker health)
{
    public void Closed() => health.Ok(HealthComponents.Certificates, "locked: no certificate is in use");

    public void Report(ImmutableArray<WantedCertificate> wanted, LedgerSnapshot ledger, DateTimeOffset now)
    {
        var valid = wanted.Count(w => ledger.HeldFor(w) is { } held && held.Facts.NotAfter > now);
        var failing = wanted.Where(w => ledger.Attempts.GetValueOrDefault(w.Id) is { LastError: not null } attempt && DuePolicy.IsFor(attempt, w)).ToList();
        if (failing.Count == 0)
        {
            health.Ok(HealthComponents.Certificates, $"{valid} of {wanted.Length} certificates valid");
            return;
        }
        var first = failing[0];
        var error = ledger.Attempts[first.Id].LastError!;
        health.Degraded(
            HealthComponents.Certificates,
            $"{valid} of {wanted.Length} certificates valid; {failing.Count} could not be obtained or renewed, first {first.Names[0]}: {error.Detail} {error.NextStep}");
    }
}
