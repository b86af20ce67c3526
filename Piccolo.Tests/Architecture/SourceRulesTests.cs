using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>What keeps files small and names honest.</summary>
internal sealed class SourceRulesTests
{
    private const int MaxLines = 400;

    private static readonly string[] Sources =
        [.. new[] { "Piccolo.Api", "Piccolo.Core", "Piccolo.Tests", "compose", "tools" }.SelectMany(f => Directory.EnumerateFiles(Repository.File(f), "*.cs", SearchOption.AllDirectories))];

    [Test]
    public void Files_FitOnAFewScreens() =>
        Assert.That(Sources.Select(f => (File: Path.GetRelativePath(Repository.Root, f), Lines: File.ReadLines(f).Count())).Where(f => f.Lines > MaxLines), Is.Empty);

    [Test]
    public void TypeNames_SayWhatTheyAre() => Assert.That(
        Sources.Select(Path.GetFileNameWithoutExtension).Where(n => n!.EndsWith("Manager") || n.EndsWith("Helper") || n.EndsWith("Util") || n.EndsWith("Utils") || n.EndsWith("Service")), Is.Empty);

    [Test]
    public void PropertyTests_BeginAtTheSeedOfTheRun() => Assert.That(
        Sources.Where(f => f.Contains("Piccolo.Tests", StringComparison.Ordinal)).SelectMany(f => File.ReadLines(f).Where(line => line.Contains(".Sample(", StringComparison.Ordinal) && !line.Contains(".Seeded().Sample(", StringComparison.Ordinal)).Select(line => $"{f}: {line.Trim()}")),
        Is.Empty);
}
