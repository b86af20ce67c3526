using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;

namespace Piccolo.Tests.Core.Certificates.Orders;

/// <summary>The CA's limits as they are kept on our side: what spends them, and what the owner is told.</summary>
internal sealed class OrderLimitTests : SteppedCaFixture
{
    [TestCase("new-order", 503, "serverInternal")]
    [TestCase("new-order", 429, "rateLimited")]
    [TestCase("finalize", 503, "serverInternal")]
    [TestCase("finalize", 403, "unauthorized")]
    public async Task RefusedOrders_ManyOfThem_DoNotCountAsCertificates(string step, int status, string type)
    {
        await using var harness = Harness();
        Ca.Refuse(step, status, type, "no", times: 6);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);

        for (var failures = 1; failures <= 6; failures++)
        {
            var count = failures;
            // The stepped clock may be further on than the test looks.
            await Time.RunAsync(harness.UntilAsync(l => l is [{ } entry] && (entry.Failures >= count || entry.Status == CertificateStatus.Ok)), Longest);
            Assert.That((harness.Inventory.Find(Id)!.HeldBackBy, harness.Scheduler.HeldBack(Id)),
                Is.EqualTo(((string?)null, ((DateTimeOffset?, string)?)null)));
            // The owner does not wait for the next attempt; a wish while an order is under way has no effect.
            await Time.RunAsync(harness.Scheduler.SettledAsync(), Longest);
            Time.Advance(TimeSpan.FromSeconds(1));
            harness.Scheduler.RenewNow(Id);
        }

        await Time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);
    }

    [Test]
    public async Task IssuedCertificates_OfTheSameNames_HoldTheNextOrderBackAndSaySo()
    {
        await using var harness = Harness();
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var serial = (await Time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest)).Serial;
        for (var renewals = 1; renewals < 5; renewals++)
        {
            Assert.That(harness.Scheduler.HeldBack(Id), Is.Null);
            Assert.That(harness.Scheduler.RenewNow(Id), Is.True);
            serial = (await Time.RunAsync(harness.UntilAsync(l => l is [{ Status: CertificateStatus.Ok } entry] && entry.Serial != serial), Longest))[0].Serial;
        }

        var held = harness.Scheduler.HeldBack(Id);

        Assert.That(held?.Limit, Is.EqualTo("same_names"));
        Assert.That(held?.Until, Is.GreaterThan(Time.GetUtcNow().AddDays(1)).And.LessThan(Time.GetUtcNow().AddDays(2)));
        Assert.That(NextSteps.HeldBack(held!.Value.Limit, held.Value.Until!.Value),
            Does.Match(@"^The certificate authority has issued as many .+ The next order begins at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\.$"));
        harness.Scheduler.RenewNow(Id);
        var entry = harness.Inventory.Find(Id)!;
        Assert.That((entry.NextAttempt, entry.HeldBackBy), Is.EqualTo((held.Value.Until, "same_names")),
            "the time that is announced is the one at which something happens");
    }

    [Test]
    public async Task OpenOrder_IsTakenUpWhateverTheLimitUntilItIsTooOld()
    {
        await using var harness = Harness(o => o.Limits.NewOrders = new RateLimitOptions { Count = 1, Period = TimeSpan.FromDays(10) });
        Ca.Refuse("finalize", 503, "serverInternal", "no");
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await Time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Error), Longest);
        Assert.That(harness.Scheduler.HeldBack(Id), Is.Null, "the order is there");

        await harness.StopAsync();
        Time.Advance(CertificateIssuer.MaxOrderAge + TimeSpan.FromMinutes(1));

        Assert.That(harness.Scheduler.HeldBack(Id)?.Limit, Is.EqualTo("orders"));
    }

    [Test]
    public async Task Gate_Closed_IsWhatARenewalWaitsFor()
    {
        await using var harness = Harness();
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await Time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);
        harness.GateIsOpen = false;

        Assert.That(harness.Scheduler.HeldBack(Id), Is.EqualTo(((DateTimeOffset?)null, "not_reachable")));
        Assert.That(harness.Scheduler.HeldBack("host:nobody"), Is.Null);
    }
}
