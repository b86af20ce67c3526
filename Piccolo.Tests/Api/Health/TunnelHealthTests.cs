using Piccolo.Api.Health;
using Piccolo.Core.Health;
using Piccolo.Core.Tunnel;

namespace Piccolo.Tests.Api.Health;

internal sealed class TunnelHealthTests
{
    [TestCase(TunnelState.Disabled, true, null, HealthLevel.Ok, "off: remote access is not configured")]
    [TestCase(TunnelState.Disabled, true, "There is no name to serve.", HealthLevel.Ok, "off: There is no name to serve.")]
    [TestCase(TunnelState.Disabled, false, null, HealthLevel.Ok, "closed: the appliance is not unlocked")]
    [TestCase(TunnelState.Connecting, true, null, HealthLevel.Degraded, "connecting")]
    [TestCase(TunnelState.Authenticating, true, "The relay went away.", HealthLevel.Degraded, "connecting: The relay went away. Wait.")]
    [TestCase(TunnelState.Waiting, true, "Nobody answers.", HealthLevel.Degraded, "not connected: Nobody answers. Wait.")]
    [TestCase(TunnelState.Refused, true, "The secret is wrong.", HealthLevel.Degraded, "refused: The secret is wrong. Wait.")]
    [TestCase(TunnelState.Online, true, null, HealthLevel.Ok, "online with 2 names")]
    [TestCase(TunnelState.Online, true, "The new names were refused.", HealthLevel.Degraded, "online with earlier names: The new names were refused. Wait.")]
    [TestCase(TunnelState.Draining, true, null, HealthLevel.Ok, "ending what still runs")]
    public void Assess_State_SaysWhatWasObserved(TunnelState state, bool unlocked, string? reason, HealthLevel level, string message)
    {
        var status = new TunnelStatus
        {
            State = state,
            Reason = reason,
            NextStep = reason is null ? null : "Wait.",
            Hostnames = state == TunnelState.Online ? ["a.test", "b.test"] : [],
        };

        Assert.That(TunnelHealth.Assess(status, unlocked), Is.EqualTo((level, message)));
    }
}
