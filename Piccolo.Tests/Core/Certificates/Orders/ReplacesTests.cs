using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Tests.Core.Certificates.Orders;

/// <summary>Renewals that name the certificate whose place they take (RFC 9773, 5), and CAs that do not want to hear of it.</summary>
internal sealed class ReplacesTests : SteppedCaFixture
{
    [TestCase(404, "malformed", TestName = "Replaces_UnknownSerial_OrderedOnceMoreWithout")]
    [TestCase(403, "unauthorized", TestName = "Replaces_OfAnotherAccount_OrderedOnceMoreWithout")]
    [TestCase(409, "alreadyReplaced", TestName = "Replaces_ReplacedAlready_OrderedOnceMoreWithout")]
    [TestCase(500, "serverInternal", TestName = "Replaces_FaultOfTheCa_OrderedOnceMoreWithout")]
    public async Task Replaces_Refused_OrderedOnceMoreWithout(int status, string type)
    {
        Ca.HasRenewalInfo = true;
        await using var harness = Harness();
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var first = await Time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);
        Ca.RefusesReplaces = (status, type);

        Assert.That(harness.Scheduler.RenewNow(Id), Is.True);
        await Time.RunAsync(harness.UntilAsync(l => l[0].Status == CertificateStatus.Ok && l[0].Serial != first.Serial), Longest);

        Assert.That(Ca.Count("new-order"), Is.EqualTo(3), "the first certificate, a refused order, the order without 'replaces'");
        Assert.That((harness.Log.Count(2019), harness.Log.Count(2009)), Is.EqualTo((1, 0)), harness.Log.Text);
    }

    [Test]
    public async Task Replaces_RateLimited_IsNotOrderedOnceMore()
    {
        Ca.HasRenewalInfo = true;
        await using var harness = Harness();
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await Time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), Longest);
        Ca.RefusesReplaces = (429, "rateLimited");

        Assert.That(harness.Scheduler.RenewNow(Id), Is.True);
        await Time.RunAsync(harness.UntilAsync(l => l[0].LastError?.Class == AcmeFailureClass.RateLimited), Longest);

        // The clock may have gone on to the next attempt; what counts is that no order went out without the name.
        Assert.That(harness.Log.Count(2019), Is.Zero, harness.Log.Text);
    }
}
