using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Issuance;

namespace Piccolo.Tests.Core.Remote;

/// <summary>Whom CAA records let issue (RFC 8659), with account and method (RFC 8657).</summary>
internal sealed class CaaPolicyTests
{
    private static readonly CaaSubject Us = new(["ca.test"], new Uri("https://ca.test/acct/7"));

    [TestCase("", CaaVerdict.Anyone)]
    [TestCase("0 iodef mailto:x@test", CaaVerdict.Anyone)]
    [TestCase("0 issuewild ;", CaaVerdict.Anyone, Description = "speaks of wildcards only")]
    [TestCase("0 issue ca.test", CaaVerdict.OurCa)]
    [TestCase("0 issue CA.test", CaaVerdict.OurCa)]
    [TestCase("0 issue other.test", CaaVerdict.Refused)]
    [TestCase("0 issue ;", CaaVerdict.Refused)]
    [TestCase("0 issue", CaaVerdict.Refused)]
    [TestCase("0 issue %%%", CaaVerdict.Refused, Description = "a value against the grammar admits nobody")]
    [TestCase("128 tbs unknown", CaaVerdict.Refused)]
    [TestCase("0 tbs unknown", CaaVerdict.Anyone)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7", CaaVerdict.OnlyOurAccount)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/8", CaaVerdict.Refused)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7; accounturi=https://ca.test/acct/8", CaaVerdict.Refused)]
    [TestCase("0 issue ca.test; validationmethods=dns-01", CaaVerdict.Refused)]
    [TestCase("0 issue ca.test; validationmethods=dns-01,http-01; accounturi=https://ca.test/acct/7", CaaVerdict.OnlyOurAccount)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue ca.test", CaaVerdict.OurCa)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue other.test", CaaVerdict.OurCa)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue ;", CaaVerdict.OnlyOurAccount)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue other.test; accounturi=https://ca.test/acct/7", CaaVerdict.OurCa)]
    public void Judge_Records_GivesWhomTheyAdmit(string records, CaaVerdict expected) =>
        Assert.That(CaaPolicy.Judge([.. records.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(Parse)], Us, "http-01"), Is.EqualTo(expected));

    [Test]
    public void Judge_RecordNamesAnAccountBeforeWeHaveOne_IsRefused() =>
        Assert.That(CaaPolicy.Judge([Parse("0 issue ca.test; accounturi=https://ca.test/acct/7")], Us with { AccountUrl = null }, "http-01"),
            Is.EqualTo(CaaVerdict.Refused));

    [Test]
    public void Lock_IsJudgedAsOurAccountOnly() =>
        Assert.That(CaaPolicy.Judge([CaaPolicy.Lock("ca.test", Us.AccountUrl!)], Us, "http-01"), Is.EqualTo(CaaVerdict.OnlyOurAccount));

    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue second.test; accounturi=https://second.test/9", CaaVerdict.OnlyOurAccount)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7", CaaVerdict.OnlyOurAccount, Description = "the second one is shut out, which is no leak")]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue second.test", CaaVerdict.OurCa)]
    [TestCase("0 issue ca.test; accounturi=https://ca.test/acct/7|0 issue second.test; accounturi=https://ca.test/acct/7", CaaVerdict.OurCa)]
    [TestCase("0 issue second.test; accounturi=https://second.test/9", CaaVerdict.Refused)]
    public void Judge_TwoCas_TakesTheAccountsOfBothForOurs(string records, CaaVerdict expected) =>
        Assert.That(CaaPolicy.Judge([.. records.Split('|').Select(Parse)], [Us, new CaaSubject(["second.test"], new Uri("https://second.test/9"))], "http-01"),
            Is.EqualTo(expected));

    private static CaaProperty Parse(string text)
    {
        var parts = text.Split(' ', 3);
        return new CaaProperty(byte.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts[1], parts.Length > 2 ? parts[2] : "");
    }
}
