using Piccolo.Core.Certificates;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Certificates.Scheduling;

/// <summary>What the loop finds when it starts again: its ledger, an order under way, certificates that nobody wants any more.</summary>
[Category("Acme")]
internal sealed class RenewalRestartTests : RenewalSchedulerFixture
{
    [Test]
    public async Task Loop_StoreClosesDuringAnOrder_OrderEndsAndIsTakenUpAgain()
    {
        await using var harness = Harness();
        var reached = new TaskCompletionSource();
        _ca.Script["finalize"] = async (context, n) =>
        {
            if (n > 1) return false;
            reached.SetResult();
            await context.RequestAborted.FiredAsync();
            return true;
        };
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await reached.Task.WaitAsync(EngineHarness.Patience);

        harness.Store.Close();
        await harness.UntilAsync(l => l.IsEmpty);
        harness.Store.Open(_key);
        await harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(_ca.Count("new-order"), Is.EqualTo(1));
        Assert.That(harness.Log.Count(2009), Is.Zero, harness.Log.Text);
    }

    [Test]
    public async Task Restart_AfterAFailure_KeepsTheLedger()
    {
        _ca.Refuse("new-order", 429, "rateLimited", "slow down", "3600");
        CertificateEntry before;
        await using (var first = Harness())
        {
            await first.StartAsync();
            first.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            before = await first.UntilAsync(Id, CertificateStatus.Error);
        }

        for (var restart = 0; restart < 5; restart++)
        {
            await using var next = Harness();
            next.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await next.StartAsync();
            var after = await next.UntilAsync(Id, CertificateStatus.Error);
            Assert.That((after.NextAttempt, after.LastError, after.Failures), Is.EqualTo((before.NextAttempt, before.LastError, 1)));
        }

        Assert.That(_ca.Count("new-order"), Is.EqualTo(1), "a restart is no reason to ask again");
    }

    [TestCase("authz")]
    [TestCase("chall")]
    [TestCase("finalize")]
    [TestCase("cert")]
    public async Task Restart_InTheMiddleOfAnOrder_TakesTheSameOrderUp(string step)
    {
        var reached = new TaskCompletionSource();
        _ca.Script[step] = async (context, n) =>
        {
            if (n > 1) return false;
            reached.SetResult();
            await context.RequestAborted.FiredAsync();
            return true;
        };
        await using (var killed = Harness())
        {
            await killed.StartAsync();
            killed.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await reached.Task.WaitAsync(EngineHarness.Patience);
        }

        await using var next = Harness();
        next.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await next.StartAsync();
        await next.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(_ca.Count("new-order"), Is.EqualTo(1));
        Assert.That(next.Log.Text, Does.Contain("resumed=True"));
    }

    [Test]
    public async Task Restart_OrderGoneAtTheCa_PlacesAnother()
    {
        _ca.Refuse("finalize", 503, "serverInternal", "down", times: 1);
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        await using var harness = Harness(time);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Error), EngineHarness.LongestPoll);
        _ca.Refuse("order", 404, "malformed", "no such order");

        await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);

        Assert.That(_ca.Count("new-order"), Is.EqualTo(2));
    }

    [Test]
    public async Task Prune_ExpiredAndUnwanted_IsForgottenValidIsKept()
    {
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        await using var harness = Harness(time);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);

        harness.Scheduler.Want([]);
        await harness.UntilAsync(l => l.IsEmpty);
        Assert.That(harness.Stored(), Has.Count.EqualTo(1), "who brings the name back needs no order");

        var seen = harness.Table.Changed.Version;
        time.Advance(TimeSpan.FromDays(91));
        harness.Scheduler.Wake();
        await harness.Table.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(EngineHarness.Patience);
        Assert.That(harness.Stored(), Is.Empty);
        Assert.That(harness.Table.Find("web.home.test"), Is.Null);
    }
}
