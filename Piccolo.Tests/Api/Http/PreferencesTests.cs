using Piccolo.Api.Http;

namespace Piccolo.Tests.Api.Http;

internal sealed class PreferencesTests
{
    [TestCase("respond-async")]
    [TestCase("Respond-Async")]
    [TestCase("wait=100, respond-async")]
    [TestCase("respond-async, wait=10")]
    [TestCase("respond-async;foo=bar")]
    [TestCase("  respond-async  ; q=\"a,b\" , handling=lenient")]
    [TestCase("x=\"a, \\\"b\", respond-async")]
    [TestCase("respond-async=\"\"")]
    [TestCase(",,respond-async,")]
    public void Preference_AmongOthers_IsFound(string header) => Assert.That(Preferences.Has(header, Preferences.RespondAsync), Is.True);

    [TestCase("")]
    [TestCase("respond-asynchronously")]
    [TestCase("respond")]
    [TestCase("respond-async=no")]
    [TestCase("return=respond-async")]
    [TestCase("x=\"respond-async\"")]
    [TestCase("x=\"a, respond-async, b\"")]
    [TestCase("x=\"a, respond-async")]
    [TestCase("x;respond-async")]
    [TestCase("\"respond-async\"")]
    [TestCase("respond async")]
    [TestCase("\\")]
    [TestCase("\"\\")]
    public void Header_ThatDoesNotSaySo_IsAsGoodAsNone(string header) => Assert.That(Preferences.Has(header, Preferences.RespondAsync), Is.False);

    [Test]
    public void Headers_SeveralOfThem_AreOneList()
    {
        Assert.That(Preferences.Has(new(["wait=1", "respond-async"]), Preferences.RespondAsync), Is.True);
        Assert.That(Preferences.Has(default, Preferences.RespondAsync), Is.False);
    }

    [Test]
    public void Header_OfManyQuotesAndCommas_IsReadInOneGo() =>
        Assert.That(Preferences.Has(string.Concat(Enumerable.Repeat("a=\"\\\",;\",", 100_000)) + "respond-async", Preferences.RespondAsync), Is.True);
}
