using Microsoft.AspNetCore.Http;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Authorities;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Certificates.Orders;

/// <summary>Whatever stops and starts the device, the CA sees one order.</summary>
[Category("Acme")]
internal sealed class NeverOrderTwiceTests : HostileCaFixture
{
    [Test]
    public async Task Restarts_FiftyInARow_MakeOneOrder()
    {
        Ca.Refuse("new-order", 503, "serverInternal", "down for maintenance", "7200");
        for (var restart = 0; restart < 50; restart++)
        {
            await using var harness = Another("restarted");
            harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await harness.StartAsync();
            await harness.UntilAsync(Id, CertificateStatus.Error);
        }

        Assert.That(Ca.Count("new-order"), Is.EqualTo(1));
    }

    [Test]
    public async Task Want_TwoIdsWithTheSameNames_OneOrderServesBoth()
    {
        await Harness.StartAsync();
        Harness.Scheduler.Want([EngineHarness.Want("web.home.test"), new WantedCertificate("alias:web.home.test", EngineHarness.Want("web.home.test").Names)]);

        var list = await Harness.UntilAsync(l => l.Length == 2 && l.All(e => e.Status == CertificateStatus.Ok));

        Assert.That(list.Select(e => e.Serial).Distinct().Count(), Is.EqualTo(1));
        Assert.That(Ca.Count("new-order"), Is.EqualTo(1));
    }

    [Test]
    public async Task Limit_ReachedOnOurSide_TheCaIsNotAskedAndTheEntrySaysWhy()
    {
        var options = EngineHarness.OptionsFor(Ca);
        (options.Limits.CertificatesPerDomain.Count, options.Limits.CertificatesPerDomain.Period) = (2, TimeSpan.FromDays(1));
        await using var harness = new EngineHarness(Path.Combine(Folder.Path, "limited"), Key, options);
        await harness.StartAsync();

        harness.Scheduler.Want([EngineHarness.Want("a.home.test"), EngineHarness.Want("b.home.test"), EngineHarness.Want("c.home.test"),
            EngineHarness.Want("d.other.test")]);
        var list = await harness.UntilAsync(
            l => l.Count(e => e.Status == CertificateStatus.Ok) >= 3 && l.All(e => e.Status is CertificateStatus.Ok || e.HeldBackBy is not null));

        Assert.That(list.Single(e => e.Status != CertificateStatus.Ok).HeldBackBy, Is.EqualTo("domain"));
        Assert.That(Ca.Count("new-order"), Is.EqualTo(3));
    }

    [Test]
    public async Task Fallback_FirstCaFailsForLong_SecondIssues()
    {
        using var elsewhere = new TemporaryFolder();
        await using var second = await HostileCa.StartAsync(elsewhere.Path);
        Ca.Refuse("new-order", 429, "rateLimited", "come back in a week", "604800");
        var options = EngineHarness.OptionsFor(Ca);
        options.Fallback = new FallbackOptions { DirectoryUrl = second.DirectoryUrl, TrustedRootsFile = second.TrustFile, After = TimeSpan.FromHours(6) };
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        (options.RequestTimeout, options.OrderTimeout) = (TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        await using var harness = new EngineHarness(Path.Combine(Folder.Path, "two"), Key, options, time);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var failed = await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Error), EngineHarness.LongestPoll);

        Assert.That(failed.NextAttempt - failed.FailingSince, Is.EqualTo(TimeSpan.FromHours(6)).Within(TimeSpan.FromMinutes(1)), "not a week");
        time.Advance(TimeSpan.FromHours(6.1));
        harness.Scheduler.Wake();
        var issued = await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), EngineHarness.LongestPoll);

        Assert.That(issued.Directory, Is.EqualTo(second.DirectoryUrl));
        Assert.That((Ca.Count("new-order"), second.Count("new-order")), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Directory_OfAnotherCaConfigured_OrdersThereOnceWhileTheOldOneServes()
    {
        using var elsewhere = new TemporaryFolder();
        await using var second = await HostileCa.StartAsync(elsewhere.Path);
        await using (var trial = Another("moved"))
        {
            await trial.StartAsync();
            trial.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await trial.UntilAsync(Id, CertificateStatus.Ok);
        }
        second.Script["finalize"] = async (context, n) =>
        {
            if (n == 1) await HostileCa.WriteAsync(context, 503, "text/plain", "not yet");
            return n == 1;
        };
        await using var harness = new EngineHarness(Path.Combine(Folder.Path, "moved"), Key, EngineHarness.OptionsFor(second));
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);

        var failed = await harness.UntilAsync(Id, CertificateStatus.Error);
        Assert.That(harness.Table.Find("web.home.test"), Is.Not.Null, "what is valid serves until something better is there");
        Assert.That(failed.Directory, Is.EqualTo(Ca.DirectoryUrl));
        Assert.That((Ca.Count("new-order"), second.Count("new-order")), Is.EqualTo((1, 1)));
        Assert.That(failed.NextAttempt, Is.GreaterThan(failed.LastAttempt!.Value));
    }

    [Test]
    public async Task Failure_OfOneName_DelaysNoOther()
    {
        Ca.Script["authz"] = async (context, _) =>
        {
            if (!context.Request.Path.Value!.StartsWith("/authz/1/", StringComparison.Ordinal)) return false;
            // The first order is held up for as long as the device waits at all.
            await context.RequestAborted.FiredAsync();
            return true;
        };
        await Harness.StartAsync();

        Harness.Scheduler.Want([.. Enumerable.Range(0, 10).Select(i => EngineHarness.Want($"n{i}.home.test"))]);
        var list = await Harness.UntilAsync(l => l.Count(e => e.Status == CertificateStatus.Ok) == 9);

        Assert.That(list.Count(e => e.Serial is null), Is.EqualTo(1));
    }

    [Test]
    public async Task Story_OfAFailure_HoldsNoSecretAndPlaysAgainToTheSameEnd()
    {
        Ca.Script["authz"] = async (context, n) =>
        {
            if (n == 1) return false;
            await HostileCa.WriteAsync(context, 200, "application/json", $$"""
                {"status":"invalid","identifier":{"type":"dns","value":"web.home.test"},"challenges":[{"type":"http-01","url":"{{Ca.Origin}}chall/1","status":"invalid","token":"token-that-is-secret",
                "error":{"type":"urn:ietf:params:acme:error:connection","detail":"Timeout fetching http://web.home.test/.well-known/acme-challenge/token-that-is-secret"} } ] }
                """);
            return true;
        };
        var failed = await AssertFailsAsync(AcmeFailureClass.ChallengeFailed, "challenge_connection");
        var transcript = Harness.Inventory.Transcript(Id)!.Single();
        var text = string.Join('\n', transcript.Exchanges);

        Assert.That(transcript.Outcome, Is.EqualTo(failed.LastError!.Code));
        Assert.That(transcript.Exchanges.Select(e => new Uri(e.Url).AbsolutePath), Is.SupersetOf(new[] { "/dir", "/new-account", "/new-order", "/chall/1" }));
        Assert.That(text, Does.Not.Contain("token-that-is-secret").And.Not.Contain(Thumbprint()).And.Contain("Timeout fetching"));

        // The recording is as good as the CA: played to a fresh engine it ends in the same failure.
        var left = new Queue<AcmeExchange>(transcript.Exchanges.Where(e => e.Method == "POST"));
        foreach (var step in (string[])["new-account", "new-order", "authz", "chall", "finalize", "cert", "order"]) Ca.Script[step] = Play;
        await using var fresh = Another("fresh");
        await fresh.StartAsync();
        fresh.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var again = await fresh.UntilAsync(Id, CertificateStatus.Error);
        Assert.That((again.LastError!.Class, again.LastError.Code), Is.EqualTo((failed.LastError.Class, failed.LastError.Code)));
        Assert.That(left, Is.Empty);

        async Task<bool> Play(HttpContext context, int _)
        {
            var next = left.Dequeue();
            Assert.That(context.Request.Path.Value, Is.EqualTo(new Uri(next.Url).AbsolutePath));
            if (next.Location is not null) context.Response.Headers.Location = next.Location;
            await HostileCa.WriteAsync(context, next.Status, next.ContentType ?? "text/plain", next.Body ?? "");
            return true;
        }
    }

    [Test]
    public async Task Story_EndlessTalk_IsBounded()
    {
        Ca.Refuse("new-account", 400, "badNonce", new string('x', 50_000));
        for (var round = 0; round < 5; round++)
        {
            await using var harness = Another("talk" + round % 2);
            await harness.StartAsync();
            harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await harness.UntilAsync(Id, CertificateStatus.Error);
            var orders = harness.Inventory.Transcript(Id)!;
            Assert.That(orders, Has.Count.LessThanOrEqualTo(TranscriptRecord.MaxOrders));
            Assert.That(orders.SelectMany(o => o.Exchanges).Max(e => e.Body?.Length ?? 0), Is.LessThanOrEqualTo(AcmeTranscript.MaxTextBytes + 1));
        }
    }

    private EngineHarness Another(string folder) => new(Path.Combine(Folder.Path, folder), Key, EngineHarness.OptionsFor(Ca));
}
