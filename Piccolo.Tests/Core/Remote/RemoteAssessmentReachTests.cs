using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Probing;

namespace Piccolo.Tests.Core.Remote;

/// <summary>What was found from outside decides the state, even when everything inside looks well.</summary>
internal sealed class RemoteAssessmentReachTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly RemoteSettings Settings = new("wss://relay.test", "secret", "home.test", "portal.home.test", true, DateTimeOffset.UnixEpoch);

    [TestCase(ReachResult.Reachable, ReachResult.Reachable, RemoteState.Active)]
    [TestCase(ReachResult.Unknown, ReachResult.Unknown, RemoteState.Active)]
    [TestCase(ReachResult.Dead, ReachResult.Reachable, RemoteState.Error)]
    [TestCase(ReachResult.Dns, ReachResult.Reachable, RemoteState.Error)]
    [TestCase(ReachResult.WrongKey, ReachResult.Reachable, RemoteState.Error)]
    [TestCase(ReachResult.Reachable, ReachResult.Dead, RemoteState.Warning)]
    [TestCase(ReachResult.Reachable, ReachResult.Dns, RemoteState.Warning)]
    [TestCase(ReachResult.Reachable, ReachResult.WrongKey, RemoteState.Error)]
    public void Assess_TunnelAndCertificateAreWell_FollowsWhatStrangersFind(ReachResult portal, ReachResult other, RemoteState expected)
    {
        var seen = new RemoteObservation(true, null, false, Now.AddDays(60), [], PortalReach: Reach("portal.home.test", portal),
            OtherReaches: [Reach("web.home.test", other)]);

        var (state, warnings) = RemoteAssessment.Assess(Settings, seen, Now);

        Assert.That(state, Is.EqualTo(expected));
        Assert.That(warnings.IsEmpty, Is.EqualTo(expected == RemoteState.Active));
    }

    private static NameReach Reach(string name, ReachResult result) => NameReach.NotYet(name, Now).After(new Observation(result, "why"), Now);
}
