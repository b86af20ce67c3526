using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Single values as compose takes them.</summary>
internal sealed class ComposeValuesTests
{
    [TestCase("0777", "511")]
    [TestCase("0o17", "15")]
    [TestCase("0x1F", "31")]
    [TestCase("0b11", "3")]
    [TestCase("1_000", "1000")]
    [TestCase("08", "8")]
    [TestCase("-5", "-5")]
    [TestCase("1.0", "1")]
    [TestCase("3.10", "3.1")]
    [TestCase("True", "true")]
    [TestCase("yes", "yes")]
    [TestCase("on", "on")]
    [TestCase("22:22", "22:22")]
    [TestCase("1.2.3", "1.2.3")]
    [TestCase("abc", "abc")]
    [TestCase("0", "0")]
    [TestCase("99999999999999999999999", "99999999999999999999999")]
    public void TextOf_ValueWithoutQuotes_IsWhatTheContainerGets(string text, string expected) =>
        Assert.That(ComposeValues.TextOf(new ManifestNode.Scalar(TextPlace.Start, text, IsPlain: true)), Is.EqualTo(expected));

    [TestCase("0777")]
    [TestCase("1.0")]
    [TestCase("")]
    public void TextOf_ValueInQuotes_StaysAsItIs(string text) =>
        Assert.That(ComposeValues.TextOf(new ManifestNode.Scalar(TextPlace.Start, text, IsPlain: false)), Is.EqualTo(text));

    [TestCase("")]
    [TestCase("~")]
    [TestCase("null")]
    public void TextOf_Nothing_IsNoValue(string text) =>
        Assert.That(ComposeValues.TextOf(new ManifestNode.Scalar(TextPlace.Start, text, IsPlain: true)), Is.Null);

    [TestCase("64m", 64L << 20)]
    [TestCase("128mb", 128L << 20)]
    [TestCase("1.5G", 3L << 29)]
    [TestCase("2gib", 2L << 30)]
    [TestCase("1000", 1000L)]
    [TestCase("10b", 10L)]
    [TestCase("lots", null)]
    [TestCase("-1", null)]
    [TestCase("999999999999999t", null)]
    public void Bytes_Size_IsInPowersOf1024(string text, long? expected) => Assert.That(ComposeValues.Bytes(text), Is.EqualTo(expected));

    [TestCase("90s", 90d)]
    [TestCase("1m30s", 90d)]
    [TestCase("500ms", 0.5)]
    [TestCase("1.5h", 5400d)]
    [TestCase("1d", 86400d)]
    [TestCase("10", 10d)]
    [TestCase("soon", null)]
    [TestCase("999999999h", null)]
    public void Duration_Time_IsInSeconds(string text, double? expected) => Assert.That(ComposeValues.Duration(text)?.TotalSeconds, Is.EqualTo(expected));

    [TestCase("yes", true)]
    [TestCase("ON", true)]
    [TestCase("n", false)]
    [TestCase("false", false)]
    [TestCase("maybe", null)]
    public void Truth_Word_IsThatOfYaml(string text, bool? expected) => Assert.That(ComposeValues.Truth(text), Is.EqualTo(expected));
}
