using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Tests.Core.Certificates.Scheduling;

/// <summary>How far a CA's suggestion is followed, and how long each kind of failure waits.</summary>
[Category("Acme")]
internal sealed class RenewalPolicyTests
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = Begin.AddDays(90);

    [TestCase(0.0)]
    [TestCase(0.5)]
    [TestCase(1.0)]
    public void Decide_SaneWindow_IsAMomentInIt(double share)
    {
        var moment = RenewalPolicy.Decide(Begin, End, share, (Begin.AddDays(58), Begin.AddDays(60)));

        Assert.That((moment.Source, moment.At), Is.EqualTo((RenewalSource.Ari, Begin.AddDays(58 + (2 * share)))));
    }

    [TestCase(-10, -9, TestName = "Decide_WindowInThePast_IsAsSoonAsSense")]
    [TestCase(0.1, 0.2, TestName = "Decide_WindowRightAfterIssuance_IsAsSoonAsSense")]
    public void Decide_Early_IsAtTheLeastUse(double start, double end) =>
        Assert.That(RenewalPolicy.Decide(Begin, End, 0.5, (Begin.AddDays(start), Begin.AddDays(end))).At,
            Is.EqualTo(Begin + (TimeSpan.FromDays(90) * RenewalPolicy.LeastUsed)));

    [TestCase(-1, 91, TestName = "Decide_WindowAroundTheWholeLife_Ignored")]
    [TestCase(80, 100, TestName = "Decide_WindowTooLate_Ignored")]
    [TestCase(50, 50, TestName = "Decide_EmptyWindow_Ignored")]
    [TestCase(60, 40, TestName = "Decide_WindowBackwards_Ignored")]
    public void Decide_Senseless_IsByLifetime(double start, double end) =>
        Assert.That(RenewalPolicy.Decide(Begin, End, 0.5, (Begin.AddDays(start), Begin.AddDays(end))).Source, Is.EqualTo(RenewalSource.Lifetime));

    [Test]
    public void Decide_WindowUntilTheEnd_LeavesTimeToTryAgain() =>
        Assert.That(RenewalPolicy.Decide(Begin, End, 1, (Begin.AddDays(40), End)).At,
            Is.LessThanOrEqualTo(End - (TimeSpan.FromDays(90) * RenewalPolicy.LeastLeft)));

    [TestCase(90, 6 * 3600, 6 * 3600)]
    [TestCase(90, 30 * 86400, 86400, Description = "capped at a day")]
    [TestCase(6, 86400, 6 * 3600, Description = "capped at a share of the lifetime")]
    [TestCase(90, 0, 60, Description = "not every second")]
    public void CheckAfter_RetryAfter_IsCapped(int days, int asked, int expected) =>
        Assert.That(RenewalPolicy.CheckAfter(TimeSpan.FromDays(days), TimeSpan.FromSeconds(asked)), Is.EqualTo(TimeSpan.FromSeconds(expected)));

    [Test]
    public void CheckAfter_LifetimeOfMinutes_IsAShareOfIt() =>
        Assert.That(RenewalPolicy.CheckAfter(TimeSpan.FromMinutes(12), TimeSpan.FromHours(6)), Is.EqualTo(TimeSpan.FromSeconds(30)));

    [Test]
    public void WaitAfter_ChallengeFailed_DiffersByReasonAndAlwaysTakesMoreThanAnHourForFive()
    {
        string[] reasons = ["challenge_dns", "challenge_connection", "challenge_incorrect_response", "challenge_caa", "challenge_tls", "challenge_other"];
        var tables = reasons.Select(r => Enumerable.Range(1, 8).Select(n => BackoffPolicy.WaitAfter(AcmeFailureClass.ChallengeFailed, r, n, null, 0, null))
            .ToList()).ToList();

        foreach (var table in tables)
        {
            Assert.That(table, Is.Ordered);
            Assert.That(table.Take(5).Aggregate(TimeSpan.Zero, (a, b) => a + b), Is.GreaterThan(TimeSpan.FromHours(1)));
            Assert.That(table[^1], Is.LessThanOrEqualTo(BackoffPolicy.Longest));
        }
        Assert.That(tables.Select(t => string.Join(' ', t)).Distinct().Count(), Is.EqualTo(5), "TLS shares its table with connection");
    }

    [Test]
    public void WaitAfter_ShortLifetime_IsAShareOfItButRetryAfterHolds()
    {
        var day = TimeSpan.FromDays(1);
        Assert.That(BackoffPolicy.WaitAfter(AcmeFailureClass.RejectedName, "", 9, null, 0, day), Is.EqualTo(day / 50));
        Assert.That(BackoffPolicy.WaitAfter(AcmeFailureClass.RejectedName, "", 9, TimeSpan.FromHours(7), 0, day), Is.EqualTo(TimeSpan.FromHours(7)));
        Assert.That(BackoffPolicy.WaitAfter(AcmeFailureClass.Network, "", 9, null, 0, TimeSpan.FromMinutes(1)), Is.EqualTo(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public void Budget_SameNames_HoldsBackTheSixthUntilOneIsFree()
    {
        var names = EngineHarness.Want("web.home.test").Names;
        var budget = OrderBudget.Empty(new AcmeLimitsOptions());
        for (var i = 0; i < 5; i++)
        {
            Assert.That(budget.Earliest(names, isRenewal: true, Begin).At, Is.EqualTo(Begin));
            budget = budget.Ordered(Begin).Issued(names, isRenewal: true, Begin);
        }

        var (at, limit) = budget.Earliest(names, isRenewal: true, Begin);

        Assert.That((at - Begin, limit), Is.EqualTo((TimeSpan.FromDays(7) / 5, "same_names")));
        Assert.That(budget.Earliest(EngineHarness.Want("other.home.test").Names, true, Begin).At, Is.EqualTo(Begin), "one name's limit is not another's");
        Assert.That(budget.Earliest(names, true, at).At, Is.EqualTo(at));
        Assert.That(budget.Ordered(Begin.AddDays(60)).Issued(names, true, Begin.AddDays(60)).Buckets, Has.Count.EqualTo(2), "full buckets are forgotten");
        Assert.That(budget.Earliest(names, true, Begin.AddYears(-1)).At, Is.LessThan(Begin), "a clock that was set back does not hold up for a year");
    }

    [Test]
    public void Budget_PerDomain_CountsFirstCertificatesOnly()
    {
        var budget = OrderBudget.Empty(new AcmeLimitsOptions());
        for (var i = 0; i < 50; i++) budget = budget.Ordered(Begin).Issued(EngineHarness.Want($"n{i}.home.test").Names, isRenewal: false, Begin);
        var next = EngineHarness.Want("n50.home.test").Names;

        Assert.That(budget.Earliest(next, isRenewal: false, Begin).Limit, Is.EqualTo("domain"));
        Assert.That(budget.Earliest(next, isRenewal: true, Begin).At, Is.EqualTo(Begin));
        Assert.That(budget.Earliest(EngineHarness.Want("a.b.other.test").Names, false, Begin).At, Is.EqualTo(Begin));
    }

    [Test]
    public void Budget_NoLimit_HoldsNothingBack()
    {
        var limits = new AcmeLimitsOptions
        {
            NewOrders = { Count = 0 },
            SameNames = { Count = 0 },
            CertificatesPerDomain = { Count = 0 },
            FailedValidations = { Count = 0 },
        };
        var names = EngineHarness.Want("web.home.test").Names;

        Assert.That(OrderBudget.Empty(limits).Ordered(Begin).Issued(names, false, Begin).ValidationFailed("web.home.test", Begin).Buckets, Is.Empty);
    }

    [TestCase(AcmeFailureClass.RateLimited, 7, 1)]
    [TestCase(AcmeFailureClass.RateLimited, 5, 0, Description = "not for hours yet")]
    [TestCase(AcmeFailureClass.ChallengeFailed, 7, 0, Description = "no other CA would reach the name either")]
    public void Next_FirstCaFails_AsksTheSecondAfterHoursThenTakesTurns(AcmeFailureClass failure, int hours, int expected)
    {
        Uri[] directories = [new("https://a.test/"), new("https://b.test/")];
        var attempt = new AttemptRecord("x", ["x.test"], Begin, 3, 3, End, false, new AttemptError(failure, "code", "", ""), null)
        {
            FailingSince = Begin,
            Directory = directories[0],
        };
        var fallback = new FallbackOptions { DirectoryUrl = directories[1] };

        Assert.That(AuthorityChoice.Next(attempt, directories, fallback, null, Begin.AddHours(hours)), Is.EqualTo(expected));
        Assert.That(AuthorityChoice.Next(attempt with { Directory = directories[1] }, directories, fallback, null, Begin.AddHours(hours)), Is.Zero);
    }

    [Test]
    public void Reach_NoConnection_IsFoundOutForAllUntilAnythingIsAnswered()
    {
        var ca = new Uri("https://a.test/");
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Begin);
        var reach = new AuthorityReachability(time, () => 0);
        var gone = new AcmeFailure(AcmeFailureClass.Network, "connect_failed", "");

        reach.Note(ca, gone, null);
        reach.Note(ca, gone, null);
        Assert.That(reach.DownUntil(ca, null), Is.EqualTo(Begin.AddSeconds(5)), "who knocked together counts once");
        Assert.That(reach.DownUntil(new Uri("https://b.test/"), null), Is.Null);
        for (var i = 0; i < 12; i++)
        {
            time.SetUtcNow(reach.DownUntil(ca, null)!.Value);
            reach.Note(ca, gone, null);
        }
        Assert.That(reach.DownUntil(ca, null) - time.GetUtcNow(), Is.EqualTo(TimeSpan.FromMinutes(30)));
        Assert.That(reach.DownUntil(ca, TimeSpan.FromMinutes(50)) - time.GetUtcNow(), Is.EqualTo(TimeSpan.FromMinutes(1)), "a fiftieth of a short life");

        reach.Note(ca, new AcmeFailure(AcmeFailureClass.CaUnavailable, "http_503", ""), null);
        Assert.That(reach.DownUntil(ca, null), Is.Null, "what a CA says about one name is no reason for others to wait");
    }
}
