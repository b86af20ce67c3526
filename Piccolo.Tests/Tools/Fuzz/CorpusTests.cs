using Piccolo.Fuzz;

namespace Piccolo.Tests.Tools.Fuzz;

/// <summary>What the fuzzer found worth keeping, and every input that once broke something, given to the parsers again.</summary>
internal sealed class CorpusTests
{
    private static string Folder => Path.Combine(TestContext.CurrentContext.TestDirectory, "TestData", "fuzz");

    private static IEnumerable<string> Targets => FuzzTargets.Names;

    [TestCaseSource(nameof(Targets))]
    public void Corpus_OfEachTarget_KeepsItsPromises(string target)
    {
        var files = Directory.GetFiles(Path.Combine(Folder, target));
        var check = FuzzTargets.Find(target)!;

        Assert.That(files, Has.Length.GreaterThan(3));
        Assert.Multiple(() =>
        {
            foreach (var file in files) Assert.That(() => check(File.ReadAllBytes(file)), Throws.Nothing, Path.GetFileName(file));
        });
    }

    [TestCaseSource(nameof(Targets))]
    public void Target_GivenPrefixesAndFlippedBitsOfItsSeeds_KeepsItsPromises(string target)
    {
        var check = FuzzTargets.Find(target)!;
        foreach (var seed in Directory.GetFiles(Path.Combine(Folder, target), "seed-*").Select(File.ReadAllBytes))
        {
            for (var length = 0; length <= seed.Length; length++) check(seed[..length]);
            for (var bit = 0; bit < seed.Length * 8; bit++)
            {
                var mutated = (byte[])seed.Clone();
                mutated[bit / 8] ^= (byte)(1 << bit % 8);
                Assert.That(() => check(mutated), Throws.Nothing, $"bit {bit} of {Convert.ToHexString(seed)}");
            }
        }
    }
}
