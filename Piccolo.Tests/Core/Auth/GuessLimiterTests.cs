using System.Net;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Auth;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Auth;

[Category("Sealed")]
internal sealed class GuessLimiterTests
{
    private static readonly GuessSource Owner = GuessSource.Of("Lan", true, IPAddress.Parse("192.168.1.5"));
    private static readonly GuessSource Stranger = GuessSource.Of("Tunnel", false, IPAddress.Parse("203.0.113.7"));

    private FakeTimeProvider _time = null!;
    private GuessLimiter _limiter = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new FakeTimeProvider();
        _limiter = new GuessLimiter(_time);
    }

    [TestCase(0, 0)]
    [TestCase(3, 0)]
    [TestCase(4, 5)]
    [TestCase(5, 10)]
    [TestCase(6, 20)]
    [TestCase(8, 60)]
    [TestCase(1_000_000, 60)]
    public void DelayAfter_LocalFailures_GrowsToAMinute(int failures, int seconds) =>
        Assert.That(GuessPolicy.DelayAfter(failures, isLocal: true), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase(8, 80)]
    [TestCase(12, 900)]
    [TestCase(int.MaxValue, 900)]
    public void DelayAfter_RemoteFailures_GrowsToAQuarterOfAnHour(int failures, int seconds) =>
        Assert.That(GuessPolicy.DelayAfter(failures, isLocal: false), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [Test]
    public void Enter_AfterTheFreeFailures_IsRefusedUntilTheDelayIsOver()
    {
        Fail(Stranger, GuessPolicy.FreeFailures);

        Assert.That(_limiter.Enter(Stranger), Is.EqualTo(new GuessAdmission(null, TimeSpan.FromSeconds(5))));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.That(_limiter.Enter(Stranger).RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Fail(Stranger, 1);
        Assert.That(_limiter.Enter(Stranger).RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public void Enter_RefusedAttempts_DoNotCount()
    {
        Fail(Stranger, GuessPolicy.FreeFailures);
        for (var i = 0; i < 1000; i++) Assert.That(_limiter.Enter(Stranger).Attempt, Is.Null);

        _time.Advance(GuessPolicy.FirstDelay);

        Assert.That(_limiter.Enter(Stranger).Attempt, Is.Not.Null);
    }

    [Test]
    public void Enter_AllAtOnce_AdmitsNoMoreThanOneAfterTheOther()
    {
        var admitted = Enumerable.Range(0, 100).Select(_ => _limiter.Enter(Stranger).Attempt).OfType<GuessAttempt>().ToList();

        Assert.That(admitted, Has.Count.EqualTo(GuessPolicy.FreeFailures));
        foreach (var attempt in admitted) attempt.Failed();
        Assert.That(_limiter.Enter(Stranger).RetryAfter, Is.EqualTo(GuessPolicy.FirstDelay));
    }

    [Test]
    public void Strangers_HoweverMany_NeverDelayTheOwnerOnTheLan()
    {
        for (var i = 0; i < 10_000; i++) Fail(GuessSource.Of("Tunnel", false, new IPAddress(0x0A000000 + i)), 1);

        var admission = _limiter.Enter(Owner);

        Assert.That(admission.Attempt!.Rank, Is.LessThan(2));
        Assert.That(_limiter.Count, Is.LessThanOrEqualTo(GuessLimiter.MaxSources));
    }

    [Test]
    public void Strangers_OfManyAddresses_ShareTheBudgetOfTheirClass()
    {
        var owner = GuessSource.Of("Tunnel", false, IPAddress.Parse("198.51.100.4"));
        _limiter.Enter(owner).Attempt!.Succeeded();
        for (var i = 0; i < GuessPolicy.MaxFailuresPerOriginClass(isLocal: false); i++) _limiter.Enter(Bot(i)).Attempt!.Failed();
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.That(_limiter.Enter(Bot(1000)), Is.EqualTo(new GuessAdmission(null, GuessPolicy.ClassWindow - TimeSpan.FromSeconds(10))));
        Assert.That(_limiter.Enter(Owner).Attempt, Is.Not.Null, "the LAN has no part in it");
        Assert.That(_limiter.Enter(owner).Attempt, Is.Not.Null, "nor has an address that gave the right password");
        Assert.That(_limiter.Enter(GuessSource.Of("Forwarded", false, IPAddress.Parse("203.0.113.7"))).Attempt, Is.Not.Null, "nor another class");
        _time.Advance(GuessPolicy.ClassWindow - TimeSpan.FromSeconds(10));
        Assert.That(_limiter.Enter(Bot(1000)).Attempt, Is.Not.Null);
    }

    [Test]
    public void Strangers_OfManyAddressesAtOnce_AreAdmittedUpToTheBudget()
    {
        var admitted = Enumerable.Range(0, 500).Select(i => _limiter.Enter(Bot(i)).Attempt).OfType<GuessAttempt>().ToList();

        Assert.That(admitted, Has.Count.EqualTo(GuessPolicy.MaxFailuresPerOriginClass(isLocal: false)));
        Assert.That(_limiter.Count, Is.EqualTo(GuessPolicy.MaxFailuresPerOriginClass(isLocal: false)), "who is refused takes no room");
        admitted[0].Dispose();
        Assert.That(_limiter.Enter(Bot(1000)).Attempt, Is.Not.Null, "what was no guess gives its place back");
    }

    [Test]
    public void SameAddress_OnTheTunnel_IsNotTheOneOnTheLan()
    {
        Fail(GuessSource.Of("Tunnel", false, IPAddress.Parse("192.168.1.5")), 20);

        Assert.That(_limiter.Enter(Owner).Attempt, Is.Not.Null);
    }

    [Test]
    public void Right_ForgetsTheFailures()
    {
        Fail(Owner, GuessPolicy.FreeFailures - 1);
        _limiter.Enter(Owner).Attempt!.Succeeded();
        Fail(Owner, GuessPolicy.FreeFailures - 1);

        Assert.That(_limiter.Enter(Owner).Attempt, Is.Not.Null);
    }

    [Test]
    public void Disposed_WithoutAVerdict_CountsAsNothing()
    {
        for (var i = 0; i < 100; i++) _limiter.Enter(Stranger).Attempt!.Dispose();

        Assert.That(_limiter.Count, Is.Zero);
    }

    [Test]
    public void Failures_AreForgottenAfterAQuietTime()
    {
        Fail(Owner, 10);
        _time.Advance(GuessPolicy.ForgetAfter(isLocal: true));
        Fail(Owner, GuessPolicy.FreeFailures - 1);

        Assert.That(_limiter.Enter(Owner).Attempt, Is.Not.Null);
    }

    [Test]
    public void Rank_ProvenThenLocalThenCleanThenTheRest()
    {
        var remoteOwner = GuessSource.Of("Tunnel", false, IPAddress.Parse("198.51.100.4"));
        _limiter.Enter(remoteOwner).Attempt!.Succeeded();
        var typist = GuessSource.Of("Lan", true, IPAddress.Parse("192.168.1.9"));
        Fail(typist, 1);
        Fail(Stranger, 1);
        var clean = GuessSource.Of("Tunnel", false, IPAddress.Parse("203.0.113.8"));

        var ranks = new[] { remoteOwner, Owner, clean, typist, Stranger }.Select(s => _limiter.Enter(s).Attempt!.Rank);

        Assert.That(ranks, Is.EqualTo(new[] { 0, 1, 2, 3, 4 }));
    }

    [TestCase("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", false, true)]
    [TestCase("2001:db8:1:2::1", "2001:db8:1:3::1", false, false)]
    [TestCase("fd00::1", "fd00::2", true, false)]
    [TestCase("fd00::1", "fd00::1", true, true)]
    [TestCase("::ffff:192.0.2.1", "192.0.2.1", false, true)]
    public void Source_SubscribersPrefix_IsOneSourceExceptOnTheOwnNetwork(string a, string b, bool local, bool same) =>
        Assert.That(GuessSource.Of("x", local, IPAddress.Parse(a)) == GuessSource.Of("x", local, IPAddress.Parse(b)), Is.EqualTo(same));

    [Test]
    public void OwnNetwork_ADeviceWithManyAddresses_ShareOneBudgetThatNeverHoldsUpTheOwner()
    {
        _limiter.Enter(Owner).Attempt!.Succeeded();
        // One typing error: the address has still proven itself.
        _limiter.Enter(Owner).Attempt!.Failed();
        for (var i = 0; i < GuessPolicy.MaxFailuresPerOriginClass(isLocal: true); i++) _limiter.Enter(Neighbour(i)).Attempt!.Failed();

        Assert.That(_limiter.Enter(Neighbour(1000)), Is.EqualTo(new GuessAdmission(null, GuessPolicy.ClassWindow)));
        Assert.That(_limiter.Enter(Owner).Attempt, Is.Not.Null);
        Assert.That(_limiter.Enter(GuessSource.Of("Loopback", true, IPAddress.Loopback)).Attempt, Is.Not.Null, "the device itself is another class");
        _time.Advance(GuessPolicy.ClassWindow);
        Assert.That(_limiter.Enter(Neighbour(1000)).Attempt, Is.Not.Null);
    }

    [TestCase("fd00::1:")]
    [TestCase("2001:db8:1:2::1:")]
    [TestCase("fe80::1:")]
    public void OwnNetwork_AddressesOfOneIpv6Network_CountTogetherUntilOneIsProven(string prefix)
    {
        var owner = GuessSource.Of("Lan", true, IPAddress.Parse(prefix + "7"));
        _limiter.Enter(owner).Attempt!.Succeeded();
        for (var i = 0; i < GuessPolicy.FreeFailures; i++) _limiter.Enter(GuessSource.Of("Lan", true, IPAddress.Parse($"{prefix}a{i}"))).Attempt!.Failed();

        Assert.That(_limiter.Enter(GuessSource.Of("Lan", true, IPAddress.Parse(prefix + "b"))), Is.EqualTo(new GuessAdmission(null, GuessPolicy.FirstDelay)));
        Assert.That(_limiter.Enter(owner).Attempt!.Rank, Is.Zero);
    }

    [Test]
    public void Clock_SetBack_ChangesNoWait()
    {
        var clock = new ShiftedTime();
        var limiter = new GuessLimiter(clock);
        for (var i = 0; i < GuessPolicy.FreeFailures; i++) limiter.Enter(Stranger).Attempt!.Failed();

        clock.Offset = TimeSpan.FromDays(-3);

        Assert.That(limiter.Enter(Stranger).RetryAfter, Is.LessThanOrEqualTo(GuessPolicy.FirstDelay));
        clock.Offset = TimeSpan.FromDays(3);
        Assert.That(limiter.Enter(Stranger).Attempt, Is.Null);
    }

    private static GuessSource Neighbour(int number) => GuessSource.Of("Lan", true, new IPAddress(0x0A000000 + number));

    private static GuessSource Bot(int number) => GuessSource.Of("Tunnel", false, new IPAddress(0x0A000000 + number));

    private void Fail(GuessSource source, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var admission = _limiter.Enter(source);
            if (admission.Attempt is null)
            {
                _time.Advance(admission.RetryAfter);
                admission = _limiter.Enter(source);
            }
            admission.Attempt!.Failed();
        }
    }
}
