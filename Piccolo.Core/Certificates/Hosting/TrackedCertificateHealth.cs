using Piccolo.Core.Health;

namespace Piccolo.Core.Certificates.Hosting;

/// <summary>Reports the certificates as a component of the appliance's health.</summary>
internal sealed class TrackedCertificateHealth(HealthTracker health) : ICertificateHealthSink
{
    public void Ok(string message) => health.Ok(HealthComponents.Certificates, message);

    public void Degraded(string message) => health.Degraded(HealthComponents.Certificates, message);
}
