using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Variables as the compose specification has them.</summary>
internal sealed class InterpolationTests
{
    private static readonly Dictionary<string, string> Values = new(StringComparer.Ordinal) { ["A"] = "a", ["EMPTY"] = "", ["B_2"] = "b" };

    [TestCase("plain", "plain")]
    [TestCase("$A", "a")]
    [TestCase("${A}", "a")]
    [TestCase("x${A}y$B_2-z", "xayb-z")]
    [TestCase("$UNSET|${UNSET}", "|")]
    [TestCase("${UNSET:-d}", "d")]
    [TestCase("${UNSET-d}", "d")]
    [TestCase("${EMPTY:-d}", "d")]
    [TestCase("${EMPTY-d}", "")]
    [TestCase("${A:-d}", "a")]
    [TestCase("${A:?message}", "a")]
    [TestCase("${A?message}", "a")]
    [TestCase("${A:+yes}", "yes")]
    [TestCase("${UNSET:+yes}", "")]
    [TestCase("${EMPTY:+yes}", "")]
    [TestCase("${EMPTY+yes}", "yes")]
    [TestCase("${UNSET:-${A}}", "a")]
    [TestCase("${UNSET:-x${UNSET:-y${A}}z}", "xyaz")]
    [TestCase("${UNSET:-http://h:1/?q=1}", "http://h:1/?q=1")]
    [TestCase("$$A", "$A")]
    [TestCase("$${A}", "${A}")]
    [TestCase("a$", "a$")]
    [TestCase("$1", "$1")]
    [TestCase("${}", "${}")]
    [TestCase("${A!}", "${A!}")]
    [TestCase("${A", "${A")]
    [TestCase("${UNSET:-${A}", "${UNSET:-${A}")]
    [TestCase("$A$A", "aa")]
    public void Expand_Expression_GivesWhatComposeGives(string text, string expected) => Assert.That(Expand(text), Is.EqualTo(expected));

    [Test]
    public void Expand_UnsetVariables_AreReportedWithWhatTheFileSaysOfThem()
    {
        var uses = new List<VariableUse>();
        new Interpolation(Values.GetValueOrDefault, Kept).Expand("$A ${U:?needed} ${V:-d} ${EMPTY?x}");

        Assert.That(uses, Is.EqualTo(new[]
        {
            new VariableUse("A", "a", IsRequired: false, HasDefault: false),
            new VariableUse("U", null, IsRequired: true, HasDefault: false),
            new VariableUse("V", "d", IsRequired: false, HasDefault: true),
            new VariableUse("EMPTY", "", IsRequired: true, HasDefault: false),
        }));

        string Kept(VariableUse use)
        {
            uses.Add(use);
            return "";
        }
    }

    [Test]
    public void Expand_NestedDeeply_EndsWithoutAnOverflow()
    {
        var text = string.Concat(Enumerable.Repeat("${U:-", 500)) + "x" + new string('}', 500);

        Assert.That(() => Expand(text), Throws.Nothing);
        Assert.That(() => Expand(string.Concat(Enumerable.Repeat("${", 16_000))), Throws.Nothing);
    }

    [Test]
    public void Expand_TextThatGrows_IsRefused()
    {
        var values = new Dictionary<string, string> { ["A"] = new('a', 10_000) };

        Assert.That(() => new Interpolation(values.GetValueOrDefault, u => u.Value ?? "").Expand("$A$A$A$A"), Throws.TypeOf<FormatException>());
        Assert.That(() => Expand("$" + new string('x', Interpolation.MaxLength)), Throws.TypeOf<FormatException>());
    }

    private static string Expand(string text) => new Interpolation(Values.GetValueOrDefault, u => u.Value ?? "").Expand(text);
}
