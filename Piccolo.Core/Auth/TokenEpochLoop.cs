using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Auth;

/// <summary>The highest token epoch that this store has seen.</summary>
internal sealed record TokenEpoch(long Epoch);

/// <summary>Seals the token epoch when the store opens and whenever it was raised.</summary>
internal sealed class TokenEpochLoop(
    ApiTokenStore tokens, SealedStore store, ApplianceVault vault, TimeProvider time, ILogger<TokenEpochLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Regular = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(store.Changed, vault.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            try
            {
                await tokens.KeepEpochAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Locked meanwhile, or a fault of the store, which is latched: the next change or the next turn tries again.
                logger.TokenEpochNotKept(e);
            }
            await signals.WaitAsync(Regular, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

internal static partial class AuthLog
{
    [LoggerMessage(6900, LogLevel.Warning, "The token epoch could not be sealed in the store; it will be tried again.")]
    public static partial void TokenEpochNotKept(this ILogger logger, Exception exception);
}
