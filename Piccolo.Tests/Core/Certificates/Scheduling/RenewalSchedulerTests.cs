using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes.Authorities;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Certificates.Scheduling;

/// <summary>What the loop does with wishes, the store's state, the gate and the clock.</summary>
[Category("Acme")]
internal sealed class RenewalSchedulerTests : RenewalSchedulerFixture
{
    [Test]
    public async Task Loop_StoreClosed_OrdersOnlyAfterItOpens()
    {
        await using var harness = Harness();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        Assert.That(harness.Inventory.List(), Is.Empty);
        Assert.That(_ca.Count("dir"), Is.Zero);

        await harness.StartAsync();
        await harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(harness.Table.Find("web.home.test"), Is.Not.Null);
    }

    [Test]
    public async Task Loop_StoreCloses_EmptiesTheTableAndFillsItAgain()
    {
        await using var harness = Harness();
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await harness.UntilAsync(Id, CertificateStatus.Ok);

        harness.Store.Close();
        await harness.UntilAsync(l => l.IsEmpty);
        Assert.That(harness.Table.Find("web.home.test"), Is.Null);
        Assert.That(harness.CertificatesHealth.Message, Does.Contain("locked"));

        harness.Store.Open(_key);
        await harness.UntilAsync(Id, CertificateStatus.Ok);
        Assert.That(harness.Table.Find("web.home.test"), Is.Not.Null);
        Assert.That(_ca.Count("new-order"), Is.EqualTo(1), "what is stored is not ordered again");
    }

    [Test]
    public async Task Loop_GateShut_WaitsWithoutFailureUntilItOpens()
    {
        await using var harness = Harness();
        harness.GateIsOpen = false;
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var waiting = await harness.UntilAsync(Id, CertificateStatus.Pending);
        Assert.That((waiting.NextAttempt, waiting.LastError), Is.EqualTo(((DateTimeOffset?)null, (AttemptError?)null)));
        Assert.That(_ca.Count("dir"), Is.Zero);

        harness.GateIsOpen = true;
        harness.Gate.Changed.Raise();

        await harness.UntilAsync(Id, CertificateStatus.Ok);
    }

    [Test]
    public async Task Want_ThirtyNames_AtMostFourOrdersAtOnce()
    {
        await using var harness = Harness();
        await harness.StartAsync();

        harness.Scheduler.Want([.. Enumerable.Range(0, 30).Select(i => EngineHarness.Want($"app{i}.home.test"))]);
        await harness.UntilAsync(l => l.Length == 30 && l.All(e => e.Status == CertificateStatus.Ok));

        Assert.That(_ca.MostOpenOrders, Is.InRange(2, RenewalScheduler.MaxInFlight));
        Assert.That(_ca.Count("new-order"), Is.EqualTo(30));
        Assert.That(_ca.Count("new-account"), Is.EqualTo(1));
    }

    [Test]
    public async Task Want_SameListManyTimes_MakesOneOrder()
    {
        await using var harness = Harness();
        await harness.StartAsync();

        for (var i = 0; i < 50; i++) harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await harness.UntilAsync(Id, CertificateStatus.Ok);
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        harness.Scheduler.Want([EngineHarness.Want("web.home.test"), EngineHarness.Want("next.home.test")]);
        await harness.UntilAsync("host:next.home.test", CertificateStatus.Ok);

        Assert.That(_ca.Count("new-order"), Is.EqualTo(2));
    }

    [Test]
    public async Task Want_OtherNamesUnderTheSameId_OrdersAtOnceInSpiteOfTheLedger()
    {
        await using var harness = Harness();
        await harness.StartAsync();
        _ca.Refuse("new-order", 400, "rejectedIdentifier", "not this name", times: 1);
        harness.Scheduler.Want([new WantedCertificate("portal", EngineHarness.Want("bad.home.test").Names)]);
        await harness.UntilAsync("portal", CertificateStatus.Error);

        harness.Scheduler.Want([new WantedCertificate("portal", EngineHarness.Want("good.home.test").Names)]);
        await harness.UntilAsync("portal", CertificateStatus.Ok);

        Assert.That(harness.Table.Find("good.home.test"), Is.Not.Null);
    }

    [Test]
    public async Task Failure_OfOneName_DoesNotDelayOthers()
    {
        await using var harness = Harness();
        _ca.Script["new-order"] = async (context, n) =>
        {
            if (n > 1) return false;
            await HostileCa.WriteAsync(context, 400, "application/problem+json", """{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no"}""");
            return true;
        };
        await harness.StartAsync();

        harness.Scheduler.Want([EngineHarness.Want("bad.home.test")]);
        await harness.UntilAsync("host:bad.home.test", CertificateStatus.Error);
        harness.Scheduler.Want([EngineHarness.Want("bad.home.test"), EngineHarness.Want("web.home.test")]);
        await harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(harness.CertificatesHealth.Level, Is.EqualTo(HealthLevel.Degraded));
        Assert.That(harness.CertificatesHealth.Message,
            Does.StartWith("1 of 2 certificates valid; 1 could not be obtained or renewed, first bad.home.test: no"));
    }

    [Test]
    public async Task Failure_ThenTheWaitEnds_OrdersAgainAndClearsTheError()
    {
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        await using var harness = Harness(time);
        _ca.Refuse("new-order", 500, "serverInternal", "down", times: 1);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var failed = await harness.UntilAsync(Id, CertificateStatus.Error);
        Assert.That(failed.Failures, Is.EqualTo(1));

        var entry = await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);

        Assert.That((entry.Failures, entry.LastError), Is.EqualTo((0, (AttemptError?)null)));
        Assert.That(harness.Attempts(), Is.Empty);
        Assert.That(harness.CertificatesHealth.Level, Is.EqualTo(HealthLevel.Ok));
    }

    [Test]
    public async Task Renewal_TwoThirdsOfTheLifetimeGone_OrdersAgain()
    {
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        await using var harness = Harness(time);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var first = await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);
        Assert.That(first.NextAttempt, Is.EqualTo(first.RenewAt));
        _ca.Chain = request => _ca.Authority.IssueChain(request, TimeSpan.FromDays(50), TimeSpan.FromDays(140));

        time.Advance(first.RenewAt!.Value - time.GetUtcNow() + TimeSpan.FromSeconds(1));
        var second = (await time.RunAsync(harness.UntilAsync(l => l[0].Status == CertificateStatus.Ok && l[0].Serial != first.Serial), Longest))[0];

        Assert.That(second.NotAfter, Is.GreaterThan(first.NotAfter!.Value));
        Assert.That(harness.Table.Find("web.home.test")!.Leaf.SerialNumber, Is.EqualTo(second.Serial));
    }

    [Test]
    public async Task RenewNow_UnknownId_IsFalse()
    {
        await using var harness = Harness();

        Assert.That(harness.Scheduler.RenewNow("host:unknown.test"), Is.False);
    }

    [Test]
    public async Task RenewNow_Twice_OneOrderAndNotBeforeAMinute()
    {
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        await using var harness = Harness(time);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var first = await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);

        Assert.That(harness.Scheduler.RenewNow(Id), Is.True);
        Assert.That(harness.Scheduler.RenewNow(Id), Is.True);
        Assert.That(harness.Inventory.Find(Id)!.NextAttempt, Is.EqualTo(first.IssuedAt + RenewalDecision.ManualSpacing));
        var second = (await time.RunAsync(harness.UntilAsync(l => l[0].Status == CertificateStatus.Ok && l[0].Serial != first.Serial), Longest))[0];

        Assert.That(second.NextAttempt, Is.EqualTo(second.RenewAt));
        Assert.That(_ca.Count("new-order"), Is.EqualTo(2));
    }

    [Test]
    public void Want_TooMany_Throws()
    {
        var wanted = Enumerable.Range(0, RenewalScheduler.MaxWanted + 1).Select(i => EngineHarness.Want($"a{i}.test")).ToList();
        using var scheduler = new EngineHarness(_folder.Path, _key, EngineHarness.OptionsFor(_ca)).Scheduler;

        Assert.That(() => scheduler.Want(wanted), Throws.ArgumentException);
    }

    [Test]
    public void For_LedgerFromTheFuture_DoesNotCount()
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var wanted = EngineHarness.Want("web.home.test");
        var attempt = new AttemptRecord(wanted.Id, ["web.home.test"], now.AddYears(3), 1, 1, now.AddYears(3).AddHours(1), false, null, null);

        Assert.That(RenewalDecision.For(wanted, null, attempt, requested: false, now).At, Is.EqualTo(now));
        attempt = attempt with { LastAttempt = now, NextAttempt = now.AddHours(1) };
        Assert.That(RenewalDecision.For(wanted, null, attempt, requested: false, now).At, Is.EqualTo(now.AddHours(1)));
    }

    [Test]
    public void For_EachCause_SaysWhy()
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var wanted = EngineHarness.Want("web.home.test");
        var failed = new AttemptRecord(wanted.Id, ["web.home.test"], now.AddMinutes(-5), 1, 1, now.AddHours(1), false, null, null);

        Assert.Multiple(() =>
        {
            Assert.That(Why(null), Does.StartWith("no certificate"));
            Assert.That(Why(failed), Is.EqualTo("the last attempt failed"));
            Assert.That(Why(failed with { Running = true }), Is.EqualTo("the last attempt was interrupted"));
            Assert.That(Why(failed, secondAt: now), Is.EqualTo("the first CA keeps failing"));
            Assert.That(Why(failed, requested: true), Is.EqualTo("the owner asked for it"));
        });

        string Why(AttemptRecord? attempt, bool requested = false, DateTimeOffset? secondAt = null) =>
            RenewalDecision.For(wanted, null, attempt, requested, now, secondAt).Reason;
    }
}
