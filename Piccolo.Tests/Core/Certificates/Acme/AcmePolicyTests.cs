using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Acme.Wire;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Tests.Core.Certificates.Acme;

/// <summary>The pure decisions about time.</summary>
[Category("Acme")]
internal sealed class AcmePolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [TestCase("0", 0)]
    [TestCase("120", 120)]
    [TestCase("Sun, 01 Mar 2026 12:01:30 GMT", 90)]
    [TestCase("Sun, 01 Mar 2026 11:00:00 GMT", 0, Description = "in the past")]
    [TestCase("99999999", 7 * 86400, Description = "capped")]
    [TestCase("Sun, 01 Mar 2099 11:00:00 GMT", 7 * 86400, Description = "capped")]
    public void RetryAfter_BothForms_IsAWait(string header, int seconds) =>
        Assert.That(RetryAfter.Parse(header, Now), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("-5")]
    [TestCase("soon")]
    [TestCase("999999999999999999999")]
    [TestCase("1.5")]
    public void RetryAfter_NeitherForm_IsNull(string? header) => Assert.That(RetryAfter.Parse(header, Now), Is.Null);

    [TestCase(90 * 24 * 60)]
    [TestCase(6 * 24 * 60)]
    [TestCase(5)]
    public void RenewAt_AnyLifetime_IsAtAShareOfTheLifetime(int minutes)
    {
        var end = Now.AddMinutes(minutes);
        var late = RenewalPolicy.RenewAt(Now, end, 0);
        var early = RenewalPolicy.RenewAt(Now, end, 1);

        Assert.That((end - late) / (end - Now), Is.EqualTo(1.0 / 3).Within(0.001));
        Assert.That((end - early) / (end - Now), Is.EqualTo((1.0 / 3) + 0.05).Within(0.001));
    }

    [Test]
    public void RenewAt_ShareOutOfRange_StaysInTheSpan() =>
        Assert.That(RenewalPolicy.RenewAt(Now, Now.AddDays(90), 42), Is.EqualTo(RenewalPolicy.RenewAt(Now, Now.AddDays(90), 1)));

    [Test]
    public void RenewAt_NoLifetime_IsAtOnce() => Assert.That(RenewalPolicy.RenewAt(Now, Now, 0.5), Is.EqualTo(Now));

    [Test]
    public void WaitAfter_EveryClass_GrowsAndEndsInARepeatedWait([Values] AcmeFailureClass failure)
    {
        var waits = Enumerable.Range(1, 40).Select(n => BackoffPolicy.WaitAfter(failure, n, null, 0)).ToList();

        Assert.That(waits, Is.Ordered);
        Assert.That(waits[0], Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(BackoffPolicy.WaitAfter(failure, 40, null, 1), Is.LessThan(TimeSpan.FromDays(1)), "there is always a next attempt within a day");
        Assert.That(waits[^1], Is.GreaterThan(waits[0]));
    }

    [Test]
    public void WaitAfter_RetryAfter_IsNeverShortened([Values] AcmeFailureClass failure, [Values(0.0, 1.0)] double random)
    {
        var asked = TimeSpan.FromHours(30);

        Assert.That(BackoffPolicy.WaitAfter(failure, 1, asked, random), Is.InRange(asked, asked * (1 + BackoffPolicy.Jitter)));
    }

    [Test]
    public void WaitAfter_RetryAfterThatIsLongerThanOurs_IsTakenAsItIs([Values] AcmeFailureClass failure) =>
        Assert.That(BackoffPolicy.WaitAfter(failure, 1, TimeSpan.FromDays(7), 1), Is.EqualTo(TimeSpan.FromDays(7)));

    [Test]
    public void WaitAfter_ChallengeFailed_FiveFailuresTakeMoreThanAnHour()
    {
        // The limit of public CAs: five failed validations per name and hour.
        var untilSixth = Enumerable.Range(1, 5)
            .Aggregate(TimeSpan.Zero, (sum, n) => sum + BackoffPolicy.WaitAfter(AcmeFailureClass.ChallengeFailed, n, null, 0));

        Assert.That(untilSixth, Is.GreaterThan(TimeSpan.FromHours(1)));
    }

    [Test]
    public void DelayBefore_NothingAsked_StartsQuicklyAndIsBounded()
    {
        var delays = Enumerable.Range(0, AcmePolling.MaxPolls).Select(n => AcmePolling.DelayBefore(n, null)).ToList();

        Assert.That(delays, Is.Ordered);
        Assert.That(delays[0], Is.LessThan(TimeSpan.FromMilliseconds(100)));
        Assert.That(delays[^1], Is.EqualTo(AcmePolling.Longest));
    }

    [TestCase(0, 40)]
    [TestCase(3_000, 3_000)]
    [TestCase(86_400_000, 60_000)]
    public void DelayBefore_RetryAfter_IsObeyedWithinBounds(int asked, int expected) =>
        Assert.That(AcmePolling.DelayBefore(0, TimeSpan.FromMilliseconds(asked)), Is.EqualTo(TimeSpan.FromMilliseconds(expected)));

    [TestCase("urn:ietf:params:acme:error:rejectedIdentifier", 400, AcmeFailureClass.RejectedName, "rejected_identifier")]
    [TestCase("urn:ietf:params:acme:error:rateLimited", 429, AcmeFailureClass.RateLimited, "rate_limited")]
    [TestCase("urn:ietf:params:acme:error:rateLimited", 503, AcmeFailureClass.RateLimited, "rate_limited")]
    [TestCase("urn:ietf:params:acme:error:serverInternal", 500, AcmeFailureClass.CaUnavailable, "server_internal")]
    [TestCase("urn:ietf:params:acme:error:caa", 403, AcmeFailureClass.ChallengeFailed, "caa")]
    [TestCase("urn:ietf:params:acme:error:accountDoesNotExist", 400, AcmeFailureClass.Account, "account_does_not_exist")]
    [TestCase("urn:ietf:params:acme:error:badCSR", 400, AcmeFailureClass.BadCsr, "bad_csr")]
    [TestCase("urn:example:other", 429, AcmeFailureClass.RateLimited, "urn_example_other")]
    [TestCase("about:blank", 418, AcmeFailureClass.RefusedRequest, "http_418")]
    public void FromAnswer_Problem_HasClassAndStableCode(string type, int status, AcmeFailureClass kind, string code)
    {
        var body = AcmeJson.Write(new ProblemMessage(type, null, "the CA's words", status, null, null));
        var failure = AcmeErrors.FromAnswer(new AcmeAnswer(status, AcmeErrors.ProblemJson, body, null, null, null));

        Assert.That((failure.Class, failure.Code, failure.Detail), Is.EqualTo((kind, code, "the CA's words")));
    }

    [Test]
    public void FromAnswer_Subproblems_NameWhatTheyAreAbout()
    {
        const string Body = """
            {"type":"urn:ietf:params:acme:error:malformed","detail":"Some names were rejected","subproblems":[
              {"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no such suffix","identifier":{"type":"dns","value":"a.test"}}, null]}
            """;
        var failure = AcmeErrors.FromAnswer(new AcmeAnswer(400, AcmeErrors.ProblemJson, System.Text.Encoding.UTF8.GetBytes(Body), null, null, null));

        Assert.That(failure.Detail, Is.EqualTo("Some names were rejected a.test: no such suffix"));
        Assert.That(failure.Problem!.Subproblems.Single().Type, Is.EqualTo("rejectedIdentifier"));
    }

    [Test]
    public void FromAnswer_NewTerms_SaysWhereToRead()
    {
        const string Body =
            """{"type":"urn:ietf:params:acme:error:userActionRequired","detail":"Terms of service have changed","instance":"https://ca.test/terms/2"}""";
        var failure = AcmeErrors.FromAnswer(new AcmeAnswer(403, AcmeErrors.ProblemJson, System.Text.Encoding.UTF8.GetBytes(Body), null, null, null));

        Assert.That((failure.Class, failure.Detail), Is.EqualTo((AcmeFailureClass.Account, "Terms of service have changed. See https://ca.test/terms/2")));
        Assert.That(NextSteps.Describe(failure).NextStep, Does.Contain("terms of service"));
    }

    [Test]
    public void FromAnswer_HostileText_IsOneShortCleanLine()
    {
        var body = AcmeJson.Write(new ProblemMessage("x\n\u001b[31m", null, "a\r\nb\0" + new string('z', 10_000), 400, null, null));
        var failure = AcmeErrors.FromAnswer(new AcmeAnswer(400, AcmeErrors.ProblemJson, body, null, null, null));

        Assert.That(failure.Detail, Has.Length.LessThanOrEqualTo(AcmeProblem.MaxDetailLength));
        Assert.That(failure.Detail.Any(char.IsControl), Is.False);
        Assert.That(failure.Code, Does.Match("^[a-z0-9_]+$"));
    }

    [TestCase("https://ca.test/dir", true)]
    [TestCase("http://ca.test/dir", false)]
    [TestCase("ftp://ca.test/dir", false)]
    public void Validate_DirectoryUrl_OnlyHttps(string url, bool isValid) =>
        Assert.That(new AcmeOptionsValidator().Validate(null, new AcmeOptions { DirectoryUrl = new Uri(url) }).Succeeded, Is.EqualTo(isValid));

    [Test]
    public void Validate_SeveralFaults_ReportsAll()
    {
        var options = new AcmeOptions { DirectoryUrl = new Uri("http://ca.test"), TrustedRootsFile = "/nonexistent.pem", ExternalAccount = { KeyId = "only" } };

        Assert.That(new AcmeOptionsValidator().Validate(null, options).Failures!.Count(), Is.EqualTo(3));
    }
}
