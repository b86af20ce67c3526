using Piccolo.Tests.Fakes;
using Piccolo.TestRun.Results;

namespace Piccolo.Tests.Tools.TestRun;

internal sealed class TrxFileTests
{
    private TempFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TempFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Read_ResultsAndMessages_AreThose()
    {
        var trx = TrxFile.Read(
            Write(Trx.Of([("N.A.One", "Passed"), ("N.A.Two(1,&quot;x.y&quot;)", "Failed"), ("N.A.Three", "NotExecuted")], discovered: 4, "said")));

        Assert.That(trx.Results.Select(r => (r.Name, r.Method, r.HasPassed, r.IsSkipped)), Is.EqualTo(new[]
        {
            ("N.A.One", "N.A.One", true, false), ("N.A.Two(1,\"x.y\")", "N.A.Two", false, false), ("N.A.Three", "N.A.Three", false, true),
        }));
        Assert.That(trx.Results[1].Summary, Is.EqualTo("first | second"));
        Assert.That(trx.Results[1].Output, Is.EqualTo("printed"));
        Assert.That(trx.Messages, Is.EqualTo(["said"]));
        Assert.That(trx.Discovered, Is.EqualTo(4));
    }

    [Test]
    public void Read_NoFile_SaysSo() =>
        Assert.That(() => TrxFile.Read(_folder.File("none.trx")), Throws.TypeOf<TornResultsException>().With.Message.Contains("no result file"));

    [Test]
    public void Read_CutAnywhere_IsTorn()
    {
        var whole = Trx.Of([("N.A.One", "Passed"), ("N.A.Two", "Failed")]);
        for (var length = 0; length < whole.Length; length += 7)
            Assert.That(() => TrxFile.Read(Write(whole[..length])), Throws.TypeOf<TornResultsException>(), $"cut after {length} characters");
    }

    [Test]
    public void Read_FewerResultsThanCounted_IsTorn() =>
        Assert.That(() => TrxFile.Read(Write(Trx.Of([("N.A.One", "Passed")]).Replace("total=\"1\"", "total=\"2\"", StringComparison.Ordinal))),
            Throws.TypeOf<TornResultsException>().With.Message.Contains("counts 2 tests and has 1"));

    private string Write(string text)
    {
        var path = _folder.File("results.trx");
        File.WriteAllText(path, text);
        return path;
    }
}
