using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Vault;

/// <summary>Prints the set-up code once at start, while there is no owner. The one secret that may be logged: that is its way to the owner.</summary>
internal sealed class SetupCodeAnnouncement(SetupCode code, ApplianceVault vault, ILogger<SetupCodeAnnouncement> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (code.IsRequired && vault.State == VaultState.Unclaimed) logger.SetupCodeIs(code.Text);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
