using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Files of variables as compose reads them.</summary>
internal sealed class EnvironmentFileTests
{
    [TestCase("A=b", "b")]
    [TestCase("A=b\r\nC=d\r\n", "b")]
    [TestCase("\uFEFFA=b", "b")]
    [TestCase("  A = b  ", "b")]
    [TestCase("export A=b", "b")]
    [TestCase("A: b", "b")]
    [TestCase("A=", "")]
    [TestCase("A=b # comment", "b")]
    [TestCase("A=b#c", "b#c")]
    [TestCase("A=#c", "")]
    [TestCase("# A=x\nA=b", "b")]
    [TestCase("A=x\nA=b", "b")]
    [TestCase("A='b $C \\n # d'", "b $C \\n # d")]
    [TestCase("A=\"b # c\"  # d", "b # c")]
    [TestCase("A=\"b\\nc\\t\\\"d\\\"\"", "b\nc\t\"d\"")]
    [TestCase("A=\"b\nc\"\nB=d", "b\nc")]
    [TestCase("A='b\nc'", "b\nc")]
    [TestCase("B=x\nA=$B/y", "x/y")]
    [TestCase("B=x\nA=\"${B}y\"", "xy")]
    [TestCase("B=x\nA='${B}'", "${B}")]
    [TestCase("A=\"\\$B\"", "$B")]
    [TestCase("A=${U:-d}", "d")]
    [TestCase("A=a=b=c", "a=b=c")]
    [TestCase("A=\"open", "\"open")]
    public void Read_Line_GivesTheValue(string text, string expected) => Assert.That(EnvironmentFile.Read(text).Values["A"], Is.EqualTo(expected));

    [TestCase("A")]
    [TestCase("=b")]
    [TestCase("A B=c")]
    [TestCase("")]
    [TestCase("\0\u0001")]
    public void Read_LineWithoutAVariable_IsPassedOver(string text) => Assert.That(EnvironmentFile.Read(text).Values, Is.Empty);

    [Test]
    public void Read_ValuesThatDouble_AreRefused()
    {
        var text = "V0=xxxxxxxxxxxxxxxx\n" + string.Concat(Enumerable.Range(1, 60).Select(i => $"V{i}=$V{i - 1}$V{i - 1}\n"));

        Assert.That(() => EnvironmentFile.Read(text), Throws.TypeOf<FormatException>());
    }

    [Test]
    public void Read_MoreVariablesThanAnyFileHas_IsRefused() =>
        Assert.That(() => EnvironmentFile.Read(string.Concat(Enumerable.Range(0, 3_000).Select(i => $"V{i}=x\n"))), Throws.TypeOf<FormatException>());
}
