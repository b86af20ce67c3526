using Piccolo.Core.Certificates;
using Piccolo.Core.Health;

namespace Piccolo.Api.Health;

/// <summary>Compares the clock with the latest time known to have passed; the certificates that are held are witnesses too.</summary>
internal sealed class ClockHealth(ClockFloor clock, CertificateInventory certificates, HealthTracker health) : IHealthReporter
{
    public void Report()
    {
        if (certificates.List().Max(c => c.NotBefore) is { } newest) clock.Observe(newest);
        clock.Check(health);
    }
}
