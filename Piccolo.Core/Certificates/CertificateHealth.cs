using System.Collections.Immutable;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates;

/// <summary>Whoever wants to know how the certificates are.</summary>
internal interface ICertificateHealthSink
{
    void Ok(string message);

    void Degraded(string message);
}

/// <summary>Says in one sentence how the wanted certificates are.</summary>
internal sealed class CertificateHealth(ICertificateHealthSink sink)
{
    public void Closed() => sink.Ok("locked: no certificate is in use");

    public void Report(ImmutableArray<WantedCertificate> wanted, LedgerSnapshot ledger, DateTimeOffset now)
    {
        var valid = wanted.Count(w => ledger.HeldFor(w) is { } held && held.Facts.NotAfter > now);
        var failing = wanted.Where(w => ledger.Attempts.GetValueOrDefault(w.Id) is { LastError: not null } attempt && attempt.IsFor(w)).ToList();
        if (failing.Count == 0)
        {
            sink.Ok($"{valid} of {wanted.Length} certificates valid");
            return;
        }
        var first = failing[0];
        var error = ledger.Attempts[first.Id].LastError!;
        sink.Degraded(
            $"{valid} of {wanted.Length} certificates valid; {failing.Count} could not be obtained or renewed, "
            + $"first {first.Names[0]}: {error.Detail} {error.NextStep}");
    }
}
