using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Auth;

/// <summary>For tests that begin with an appliance that is claimed and unlocked, and with a browser that is signed in, new for each.</summary>
internal abstract class SignedInFixture
{
    protected const string Password = TestAppliance.Password;

    private protected TestAppliance _appliance = null!;
    private protected PortalClient _portal = null!;

    [SetUp]
    public async Task SignIn()
    {
        _appliance = new TestAppliance();
        _portal = new PortalClient(_appliance);
        await PreparedKeySet.ClaimAsync(_appliance.Services.GetRequiredService<ApplianceVault>(), _appliance.Services.GetRequiredService<StatePaths>());
        await _portal.PostAsync("crypto/unlock", new { password = Password });
    }

    [TearDown]
    public async Task Close()
    {
        _portal.Dispose();
        await _appliance.DisposeAsync();
    }
}
