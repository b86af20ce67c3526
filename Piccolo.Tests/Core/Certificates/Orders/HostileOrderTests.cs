using System.Security.Cryptography;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Authorities;

namespace Piccolo.Tests.Core.Certificates.Orders;

/// <summary>Orders, challenges and certificates that lie.</summary>
[Category("Acme")]
[Category("Timing")]
internal sealed class HostileOrderTests : HostileCaFixture
{
    [Test]
    public async Task Order_ForOtherNames_BadResponse()
    {
        Ca.Say("new-order", 201, "application/json", OrderJson("pending", name: "evil.test"));
        AddLocation("new-order");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "wrong_names");
    }

    [Test]
    public async Task Order_ValidWithoutCertificate_BadResponse()
    {
        Ca.Say("finalize", 200, "application/json", OrderJson("valid"));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_order");
    }

    [Test]
    public async Task Order_GoesBackToPending_BadResponse()
    {
        Ca.Say("finalize", 200, "application/json", OrderJson("pending"));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_order_state");
    }

    [Test]
    public async Task Order_ProcessingForEver_CaUnavailableAfterTheOrdersTime()
    {
        var options = EngineHarness.OptionsFor(Ca);
        // Time enough to come as far as the order, on a slow machine too.
        options.OrderTimeout = TimeSpan.FromSeconds(4);
        await using var hurried = new EngineHarness(Path.Combine(Folder.Path, "hurried"), Key, options);
        Ca.Say("finalize", 200, "application/json", OrderJson("processing"));
        Ca.Say("order", 200, "application/json", OrderJson("processing"));

        await hurried.StartAsync();
        hurried.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await hurried.UntilAsync(Id, CertificateStatus.Error);

        Assert.That((entry.LastError!.Class, entry.LastError.Code), Is.EqualTo((AcmeFailureClass.CaUnavailable, "order_timeout")));
        Assert.That(hurried.Attempts().Single().Order, Is.Not.Null, "the order is taken up again");
        Assert.That(Ca.Count("order"), Is.LessThan(20));
    }

    [Test]
    public async Task Order_MadeInvalid_TellsTheCasWords()
    {
        Ca.Say("finalize", 200, "application/json",
            OrderJson("invalid", error: "\"error\":{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"CAA forbids\",\"status\":403},"));

        var entry = await AssertFailsAsync(AcmeFailureClass.ChallengeFailed, "caa");
        Assert.That(entry.LastError!.Detail, Is.EqualTo("CAA forbids"));
        Assert.That(Harness.Attempts().Single().Order, Is.Null, "a dead order is not taken up again");
    }

    [Test]
    public async Task Challenge_QuotesTheKeyAuthorization_IsMasked()
    {
        Ca.Script["authz"] = async (context, _) =>
        {
            var thumbprint = Thumbprint();
            await HostileCa.WriteAsync(context, 200, "application/json", $$"""
                {"status":"invalid","identifier":{"type":"dns","value":"web.home.test"},"challenges":[{"type":"http-01","url":"{{Ca.Origin}}chall/1","status":"invalid",
                "token":"SecretTokenOfThisOrder","error":{"type":"urn:ietf:params:acme:error:unauthorized","detail":"expected SecretTokenOfThisOrder.{{thumbprint}} but got 404"} }]}
                """);
            return true;
        };

        var entry = await AssertFailsAsync(AcmeFailureClass.ChallengeFailed, "challenge_unauthorized");
        Assert.That(entry.LastError!.Detail, Is.EqualTo("expected [masked].[masked] but got 404"));
        Assert.That(Harness.Log.Text, Does.Not.Contain("SecretToken"));
    }

    [Test]
    public async Task Challenge_TokenThatIsAPath_BadResponse()
    {
        Ca.Say("authz", 200, "application/json", $$"""
            {"status":"pending","identifier":{"type":"dns","value":"web.home.test"},"challenges":[{"type":"http-01","url":"{{Ca.Origin}}chall/1","status":"pending","token":"../../etc/passwd"}]}
            """);

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_challenge");
    }

    [Test]
    public async Task Challenge_TokenThatIsLongerThanWhatIsAnswered_BadResponse()
    {
        Ca.Say("authz", 200, "application/json", $$"""
            {"status":"pending","identifier":{"type":"dns","value":"web.home.test"},"challenges":[{"type":"http-01","url":"{{Ca.Origin}}chall/1","status":"pending","token":"{{new string('t', 129)}}"}]}
            """);

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_challenge");
    }

    /// <summary>The order may have been made: what is not known stays not known, and the next attempt looks for it.</summary>
    [Test]
    public async Task NewOrder_WhoseAnswerDoesNotComeInTime_StaysAnOpenQuestion()
    {
        var options = EngineHarness.OptionsFor(Ca);
        options.OrderTimeout = TimeSpan.FromSeconds(4);
        await using var hurried = new EngineHarness(Path.Combine(Folder.Path, "hurried"), Key, options);
        Ca.Script["new-order"] = async (context, _) =>
        {
            await context.RequestAborted.FiredAsync();
            return true;
        };

        await hurried.StartAsync();
        hurried.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await hurried.UntilAsync(Id, CertificateStatus.Error);

        Assert.That(entry.LastError!.Code, Is.EqualTo("order_timeout"));
        Assert.That(hurried.Attempts().Single().Placing, Is.True);
    }

    [TestCase(null, 1, Description = "the order that was made is what is wanted")]
    [TestCase("short", 2, Description = "it would be finished as something else")]
    public async Task OrderWhoseAnswerWasLost_IsTakenUpOnlyWithItsProfile(string? wanted, int orders)
    {
        Ca.Profiles = ["short"];
        Ca.LosesAnswersToOrders = 1;
        var folder = Path.Combine(Folder.Path, "two-starts");
        await using (var first = new EngineHarness(folder, Key, EngineHarness.OptionsFor(Ca)))
        {
            await first.StartAsync();
            first.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await first.UntilAsync(Id, CertificateStatus.Error);
            Assert.That(first.Attempts().Single().Placing, Is.True);
        }
        var options = EngineHarness.OptionsFor(Ca);
        options.Profile = wanted;

        await using var second = new EngineHarness(folder, Key, options);
        await second.StartAsync();
        second.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await second.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(Ca.Count("new-order"), Is.EqualTo(orders));
        Assert.That(second.Stored().Single().Profile, Is.EqualTo(wanted));
    }

    [Test]
    public async Task Account_ThatTheCaHasDeactivated_IsReplacedByAnotherWithAnotherKey()
    {
        await Harness.StartAsync();
        Harness.Scheduler.Want([EngineHarness.Want("first.home.test")]);
        await Harness.UntilAsync("host:first.home.test", CertificateStatus.Ok);
        var before = Thumbprint();
        Ca.Refuse("new-order", 403, "unauthorized", "account is deactivated", times: 2);
        Ca.Refuse("acct", 403, "unauthorized", "account is deactivated");

        Harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await Harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(Thumbprint(), Is.Not.EqualTo(before));
        Assert.That(Ca.Count("new-account"), Is.EqualTo(2));
    }

    [Test]
    public async Task Account_ThatIsRefusedOneOrderButLives_IsKept()
    {
        Ca.Refuse("new-order", 403, "unauthorized", "not this name");

        await AssertFailsAsync(AcmeFailureClass.Account, "unauthorized");

        Assert.That(Ca.Count("new-account"), Is.EqualTo(1));
    }

    [Test]
    public async Task Authorization_ForANameNotOrdered_BadResponse()
    {
        Ca.Say("authz", 200, "application/json", $$"""
            {"status":"pending","identifier":{"type":"dns","value":"evil.test"},"challenges":[{"type":"http-01","url":"{{Ca.Origin}}chall/1","status":"pending","token":"t"}]}
            """);

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "wrong_names");
    }

    [Test]
    public async Task Directory_PlainHttpAddresses_BadResponse()
    {
        Ca.Say("dir", 200, "application/json", """{"newNonce":"http://ca.test/n","newAccount":"http://ca.test/a","newOrder":"http://ca.test/o"}""");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_directory");
    }

    [Test]
    public async Task Answer_Redirect_NotFollowed()
    {
        Ca.Script["dir"] = (context, _) =>
        {
            context.Response.Redirect("/nonce");
            return Task.FromResult(true);
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "http_302");
    }

    [Test]
    public async Task Certificate_ForeignLeaf_RefusedAndNotStored()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Ca.Chain = _ => Ca.Authority.IssueChain(TestAuthority.Request(other, "web.home.test"));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "wrong_key");
    }

    [Test]
    public async Task Certificate_ChainThatDoesNotMatch_RefusedAndNotStored()
    {
        using var other = new TestAuthority();
        Ca.Chain = request =>
        {
            using var leaf = Ca.Authority.Issue(request);
            return leaf.ExportCertificatePem() + "\n" + other.IntermediatePem;
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "broken_chain");
    }

    [Test]
    public async Task Certificate_Expired_RefusedAndNotStored()
    {
        Ca.Chain = request => Ca.Authority.IssueChain(request, TimeSpan.FromDays(-1), TimeSpan.FromHours(-1));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_dates");
    }

    [Test]
    public async Task Ca_WithUntrustedCertificate_NetworkTlsFailed()
    {
        var options = EngineHarness.OptionsFor(Ca);
        options.TrustedRootsFile = null;
        await using var distrustful = new EngineHarness(Path.Combine(Folder.Path, "other"), Key, options);
        await distrustful.StartAsync();

        distrustful.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await distrustful.UntilAsync(Id, CertificateStatus.Error);

        Assert.That((entry.LastError!.Class, entry.LastError.Code), Is.EqualTo((AcmeFailureClass.Network, "tls_failed")));
        Assert.That(Ca.Count("dir"), Is.Zero);
    }

    [Test]
    public async Task Ca_Gone_NetworkConnectFailed()
    {
        await Ca.DisposeAsync();

        await AssertFailsAsync(AcmeFailureClass.Network, "connect_failed");
    }
}
