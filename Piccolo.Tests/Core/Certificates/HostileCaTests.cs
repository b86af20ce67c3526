using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>Whatever a CA sends ends in the right class, leaves nothing unchecked in the store, and has a next attempt.</summary>
internal sealed class HostileCaTests
{
    private const string Id = "host:web.home.test";
    private static readonly string[] Steps = ["dir", "new-account", "new-order", "authz", "chall", "finalize", "cert"];

    private TemporaryFolder _folder = null!;
    private HostileCa _ca = null!;
    private DataKey _key = null!;
    private EngineHarness _harness = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _key = DataKey.Generate();
        _ca = await HostileCa.StartAsync(_folder.Path);
        _harness = new EngineHarness(Path.Combine(_folder.Path, "state"), _key, EngineHarness.OptionsFor(_ca));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _harness.DisposeAsync();
        await _ca.DisposeAsync();
        _key.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Order_HonestCa_IsIssuedWithNoMoreRequestsThanNeeded()
    {
        await OrderAsync();
        await _harness.UntilAsync(Id, CertificateStatus.Ok);

        var posts = Steps.Skip(1).Append("order").Sum(_ca.Count);
        Assert.That(posts, Is.LessThanOrEqualTo(9));
        Assert.That(_ca.Count("nonce"), Is.EqualTo(1), "every other nonce comes with an answer");
    }

    [Test]
    public async Task Answer_MalformedJson_BadResponse([Values("dir", "new-order", "authz", "finalize")] string step)
    {
        _ca.Say(step, 200, "application/json", "{\"status\":\"val");

        await AssertFailsAsync(AcmeFailureClass.BadResponse);
    }

    [Test]
    public async Task Answer_JsonOfOtherShape_BadResponse(
        [Values("dir", "new-order", "authz", "finalize")] string step,
        [Values("null", "[]", "{}", "{\"status\":7}", "{\"status\":\"pending\",\"challenges\":[null],\"identifiers\":[null],\"authorizations\":[null],\"finalize\":\"x\"}")] string body)
    {
        _ca.Say(step, 200, "application/json", body);

        await AssertFailsAsync(AcmeFailureClass.BadResponse);
    }

    [Test]
    public async Task Answer_DeeplyNestedJson_BadResponse()
    {
        _ca.Say("new-order", 200, "application/json", new string('[', 100_000));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_url");
    }

    [Test]
    public async Task Answer_WrongContentType_BadResponse([Values("dir", "authz", "finalize", "cert")] string step)
    {
        _ca.Say(step, 200, "text/html", "<html>Please log in to this hotel's network</html>");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_content_type");
    }

    [Test]
    public async Task Answer_EndlessBody_BadResponseAfterOneMebibyte([Values("dir", "new-order", "cert")] string step)
    {
        long written = 0;
        _ca.Script[step] = async (context, _) =>
        {
            context.Response.ContentType = "application/json";
            var block = new byte[64 * 1024];
            // The writer says when nobody reads any more; the abort comes a little later, and a write into a dead connection succeeds.
            while (!context.RequestAborted.IsCancellationRequested && !(await context.Response.BodyWriter.WriteAsync(block)).IsCompleted)
                Interlocked.Add(ref written, block.Length);
            return true;
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "too_large");
        Assert.That(Interlocked.Read(ref written), Is.LessThan(64 * 1024 * 1024), "the connection is cut, not drained");
    }

    [Test]
    public async Task Answer_BodyThatNeverEnds_NetworkTimeout()
    {
        await using var hurried = new EngineHarness(Path.Combine(_folder.Path, "hurried"), _key, Hurried());
        _ca.Script["new-order"] = async (context, _) =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        };

        await hurried.StartAsync();
        hurried.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await hurried.UntilAsync(Id, CertificateStatus.Error);

        Assert.That((entry.LastError!.Class, entry.LastError.Code), Is.EqualTo((AcmeFailureClass.Network, "timeout")));
    }

    [Test]
    public async Task Answer_ConnectionCut_Network([Values("dir", "new-account", "new-order", "finalize")] string step)
    {
        _ca.Script[step] = (context, _) =>
        {
            context.Abort();
            return Task.FromResult(true);
        };

        await AssertFailsAsync(AcmeFailureClass.Network);
    }

    [Test]
    public async Task Answer_500_CaUnavailable([Values("dir", "nonce", "new-account", "new-order", "authz", "chall", "finalize", "cert")] string step)
    {
        _ca.Say(step, 500, "text/html", "<h1>Internal Server Error</h1>");

        await AssertFailsAsync(AcmeFailureClass.CaUnavailable, "http_500");
    }

    [TestCase("7200", 7200)]
    [TestCase(null, 15 * 60)]
    public async Task Answer_429_WaitsAtLeastAsAsked(string? retryAfter, int seconds)
    {
        _ca.Refuse("new-order", 429, "rateLimited", "too many new orders recently", retryAfter);

        var entry = await AssertFailsAsync(AcmeFailureClass.RateLimited, "rate_limited");

        Assert.That(entry.LastError!.Detail, Is.EqualTo("too many new orders recently"));
        Assert.That(entry.NextAttempt - entry.LastAttempt, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(seconds)));
    }

    [Test]
    public async Task Answer_429WithDate_WaitsUntilThen()
    {
        var until = TimeProvider.System.GetUtcNow().AddHours(5);
        _ca.Refuse("new-order", 429, "rateLimited", "later", until.ToString("R", System.Globalization.CultureInfo.InvariantCulture));

        var entry = await AssertFailsAsync(AcmeFailureClass.RateLimited);

        Assert.That(entry.NextAttempt, Is.GreaterThanOrEqualTo(until.AddSeconds(-1)));
    }

    [Test]
    public async Task Nonces_AllRejected_BadResponseAfterABoundedNumber()
    {
        _ca.Refuse("new-account", 400, "badNonce", "stale");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "nonce_rejected");
        Assert.That(_ca.Count("new-account"), Is.EqualTo(AcmeRequests.MaxNonceTries));
    }

    [Test]
    public async Task Nonces_SomeRejected_TriedAgainWithTheFreshOne()
    {
        _ca.Refuse("new-account", 400, "badNonce", "stale", times: 3);

        await OrderAsync();
        await _harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(_ca.Count("new-account"), Is.EqualTo(4));
        Assert.That(_ca.Count("nonce"), Is.EqualTo(1), "a rejection brings a nonce with it");
    }

    [Test]
    public async Task Nonces_NoneGiven_BadResponse()
    {
        _ca.Script["nonce"] = (context, _) =>
        {
            context.Response.Headers.Remove("Replay-Nonce");
            return Task.FromResult(true);
        };
        _ca.Script["dir"] = (context, _) =>
        {
            context.Response.Headers.Remove("Replay-Nonce");
            return Task.FromResult(false);
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "no_nonce");
    }

    [Test]
    public async Task Order_ForOtherNames_BadResponse()
    {
        _ca.Say("new-order", 201, "application/json", OrderJson("pending", name: "evil.test"));
        AddLocation("new-order");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "wrong_names");
    }

    [Test]
    public async Task Order_ValidWithoutCertificate_BadResponse()
    {
        _ca.Say("finalize", 200, "application/json", OrderJson("valid"));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_order");
    }

    [Test]
    public async Task Order_GoesBackToPending_BadResponse()
    {
        _ca.Say("finalize", 200, "application/json", OrderJson("pending"));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_order_state");
    }

    [Test]
    public async Task Order_ProcessingForEver_CaUnavailableAfterTheOrdersTime()
    {
        var options = Hurried();
        options.OrderTimeout = TimeSpan.FromSeconds(1);
        await using var hurried = new EngineHarness(Path.Combine(_folder.Path, "hurried"), _key, options);
        _ca.Say("finalize", 200, "application/json", OrderJson("processing"));
        _ca.Say("order", 200, "application/json", OrderJson("processing"));

        await hurried.StartAsync();
        hurried.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await hurried.UntilAsync(Id, CertificateStatus.Error);

        Assert.That((entry.LastError!.Class, entry.LastError.Code), Is.EqualTo((AcmeFailureClass.CaUnavailable, "order_timeout")));
        Assert.That(hurried.Attempts().Single().Order, Is.Not.Null, "the order is taken up again");
        Assert.That(_ca.Count("order"), Is.LessThan(20));
    }

    [Test]
    public async Task Order_MadeInvalid_TellsTheCasWords()
    {
        _ca.Say("finalize", 200, "application/json", OrderJson("invalid", error: "\"error\":{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"CAA forbids\",\"status\":403},"));

        var entry = await AssertFailsAsync(AcmeFailureClass.ChallengeFailed, "caa");
        Assert.That(entry.LastError!.Detail, Is.EqualTo("CAA forbids"));
        Assert.That(_harness.Attempts().Single().Order, Is.Null, "a dead order is not taken up again");
    }

    [Test]
    public async Task Challenge_QuotesTheKeyAuthorization_IsMasked()
    {
        _ca.Script["authz"] = async (context, _) =>
        {
            var thumbprint = Thumbprint();
            await HostileCa.WriteAsync(context, 200, "application/json", $$"""
                {"status":"invalid","identifier":{"type":"dns","value":"web.home.test"},"challenges":[{"type":"http-01","url":"{{_ca.Origin}}chall/1","status":"invalid",
                "token":"SecretTokenOfThisOrder","error":{"type":"urn:ietf:params:acme:error:unauthorized","detail":"expected SecretTokenOfThisOrder.{{thumbprint}} but got 404"} }]}
                """);
            return true;
        };

        var entry = await AssertFailsAsync(AcmeFailureClass.ChallengeFailed, "challenge_unauthorized");
        Assert.That(entry.LastError!.Detail, Is.EqualTo("expected [masked].[masked] but got 404"));
        Assert.That(_harness.Log.Text, Does.Not.Contain("SecretToken"));
    }

    [Test]
    public async Task Challenge_TokenThatIsAPath_BadResponse()
    {
        _ca.Say("authz", 200, "application/json", $$"""
            {"status":"pending","identifier":{"type":"dns","value":"web.home.test"},"challenges":[{"type":"http-01","url":"{{_ca.Origin}}chall/1","status":"pending","token":"../../etc/passwd"}]}
            """);

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_challenge");
    }

    [Test]
    public async Task Authorization_ForANameNotOrdered_BadResponse()
    {
        _ca.Say("authz", 200, "application/json", $$"""
            {"status":"pending","identifier":{"type":"dns","value":"evil.test"},"challenges":[{"type":"http-01","url":"{{_ca.Origin}}chall/1","status":"pending","token":"t"}]}
            """);

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "wrong_names");
    }

    [Test]
    public async Task Directory_PlainHttpAddresses_BadResponse()
    {
        _ca.Say("dir", 200, "application/json", """{"newNonce":"http://ca.test/n","newAccount":"http://ca.test/a","newOrder":"http://ca.test/o"}""");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_directory");
    }

    [Test]
    public async Task Answer_Redirect_NotFollowed()
    {
        _ca.Script["dir"] = (context, _) =>
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
        _ca.Chain = _ => _ca.Authority.IssueChain(TestAuthority.Request(other, "web.home.test"));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "wrong_key");
    }

    [Test]
    public async Task Certificate_ChainThatDoesNotMatch_RefusedAndNotStored()
    {
        using var other = new TestAuthority();
        _ca.Chain = request =>
        {
            using var leaf = _ca.Authority.Issue(request);
            return leaf.ExportCertificatePem() + "\n" + other.IntermediatePem;
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "broken_chain");
    }

    [Test]
    public async Task Certificate_Expired_RefusedAndNotStored()
    {
        _ca.Chain = request => _ca.Authority.IssueChain(request, TimeSpan.FromDays(-1), TimeSpan.FromHours(-1));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_dates");
    }

    [Test]
    public async Task Ca_WithUntrustedCertificate_NetworkTlsFailed()
    {
        var options = EngineHarness.OptionsFor(_ca);
        options.TrustedRootsFile = null;
        await using var distrustful = new EngineHarness(Path.Combine(_folder.Path, "other"), _key, options);
        await distrustful.StartAsync();

        distrustful.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await distrustful.UntilAsync(Id, CertificateStatus.Error);

        Assert.That((entry.LastError!.Class, entry.LastError.Code), Is.EqualTo((AcmeFailureClass.Network, "tls_failed")));
        Assert.That(_ca.Count("dir"), Is.Zero);
    }

    [Test]
    public async Task Ca_Gone_NetworkConnectFailed()
    {
        await _ca.DisposeAsync();

        await AssertFailsAsync(AcmeFailureClass.Network, "connect_failed");
    }

    private string Thumbprint()
    {
        var account = new SealedCertificateStore(_harness.Store).Account(_ca.DirectoryUrl)!;
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(account.KeyPkcs8, out _);
        using var signer = new JwsSigner(key);
        return signer.Thumbprint;
    }

    private AcmeOptions Hurried()
    {
        var options = EngineHarness.OptionsFor(_ca);
        options.RequestTimeout = TimeSpan.FromMilliseconds(700);
        return options;
    }

    private string OrderJson(string status, string name = "web.home.test", string error = "") =>
        $$"""{"status":"{{status}}","identifiers":[{"type":"dns","value":"{{name}}"}],"authorizations":["{{_ca.Origin}}authz/1/0"],{{error}}"finalize":"{{_ca.Origin}}finalize/1"}""";

    private void AddLocation(string step)
    {
        var inner = _ca.Script[step];
        _ca.Script[step] = (context, n) =>
        {
            context.Response.Headers.Location = "/order/1";
            return inner(context, n);
        };
    }

    private async Task OrderAsync()
    {
        await _harness.StartAsync();
        _harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
    }

    private async Task<CertificateEntry> AssertFailsAsync(AcmeFailureClass kind, string? code = null)
    {
        await OrderAsync();
        var entry = await _harness.UntilAsync(Id, CertificateStatus.Error);
        Assert.That(entry.LastError!.Class, Is.EqualTo(kind), entry.LastError.ToString());
        if (code is not null) Assert.That(entry.LastError.Code, Is.EqualTo(code), entry.LastError.ToString());
        Assert.That(entry.LastError.NextStep, Is.Not.Empty);
        Assert.That(entry.NextAttempt, Is.GreaterThan(entry.LastAttempt!.Value));
        Assert.That(_harness.Stored(), Is.Empty, "nothing unchecked may be stored");
        Assert.That(_harness.Table.Find("web.home.test"), Is.Null);
        Assert.That(_harness.Log.Count(2009), Is.Zero, _harness.Log.Text);
        return entry;
    }
}
