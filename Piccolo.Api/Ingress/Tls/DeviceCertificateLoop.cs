using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>Has the device certificate ready before the ports are bound, and replaces it in time.</summary>
internal sealed class DeviceCertificateLoop(DeviceCertificate certificate, StatePaths paths, TimeProvider time, ILogger<DeviceCertificateLoop> logger)
    : BackgroundService
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromHours(6);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Refresh();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(CheckInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Refresh();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private void Refresh()
    {
        try
        {
            certificate.Refresh();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The rest of the appliance works without it.
            logger.DeviceCertificateFailed(paths.Device, e);
        }
    }
}
