using Piccolo.Api.Http;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Security;

internal sealed class UnlockedFilter(ApplianceVault vault, SealedStore store) : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) => vault.State switch
    {
        VaultState.Unlocked when store.IsOpen => next(context),
        VaultState.Unclaimed => new(Problems.SetupRequired()),
        _ => new(Problems.Locked()),
    };
}
