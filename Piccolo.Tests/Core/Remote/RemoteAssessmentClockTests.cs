using Piccolo.Core.Remote;

namespace Piccolo.Tests.Core.Remote;

[Category("Sealed")]
internal sealed class RemoteAssessmentClockTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly RemoteSettings Settings = new("wss://relay.test/connect", "secret", "home.test", "portal.home.test", true, Now);

    [TestCase(false, RemoteState.Error, "expired")]
    [TestCase(true, RemoteState.Warning, "clock is wrong")]
    public void Assess_ExpiryBeforeNow_IsCalledExpiredOnlyByAClockThatIsRight(bool clockWrong, RemoteState expected, string word)
    {
        var seen = new RemoteObservation(TunnelOnline: true, null, false, PortalExpiry: Now.AddDays(-1), [], clockWrong);

        var (state, warnings) = RemoteAssessment.Assess(Settings, seen, Now);

        Assert.That(state, Is.EqualTo(expected));
        Assert.That(warnings, Has.Length.EqualTo(1));
        Assert.That(warnings[0], Does.Contain(word));
    }
}
