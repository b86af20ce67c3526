using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>What keeps files, lines and folders small, and names honest.</summary>
internal sealed class SourceRulesTests
{
    private const int MaxFileLines = 300;
    private const int MaxLineLength = 160;
    private const int MaxFolderFiles = 20;

    private static readonly string[] Roots = ["Piccolo.Api", "Piccolo.Core", "Piccolo.Tests", "tools"];

    private static readonly string[] Sources = [.. Roots.SelectMany(f => Directory.EnumerateFiles(Repository.File(f), "*.cs", SearchOption.AllDirectories))];

    [Test]
    public void Files_FitOnAFewScreens() =>
        Assert.That(Sources.Where(f => File.ReadLines(f).Count() > MaxFileLines).Select(Relative), Is.Empty);

    /// <summary>Text in a raw string literal stands as what reads it wants it.</summary>
    [Test]
    public void Lines_FitOnAScreen() => Assert.That(Sources.SelectMany(LongLines), Is.Empty);

    [Test]
    public void Folders_HaveRooms() => Assert.That(
        Sources.CountBy(f => Path.GetDirectoryName(Relative(f))!).Where(folder => folder.Value > MaxFolderFiles).Select(folder => folder.Key), Is.Empty);

    [Test]
    public void TypeNames_SayWhatTheyAre()
    {
        string[] empty = ["Manager", "Helper", "Util", "Utils", "Service"];
        var names = Sources.Select(f => Path.GetFileNameWithoutExtension(f));

        Assert.That(names.Where(name => empty.Any(end => name.EndsWith(end, StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void PropertyTests_BeginAtTheSeedOfTheRun()
    {
        var lines = from file in Sources
                    where Relative(file).StartsWith("Piccolo.Tests", StringComparison.Ordinal)
                    where !file.EndsWith("SourceRulesTests.cs", StringComparison.Ordinal)
                    from line in File.ReadLines(file)
                    where line.Contains(".Sample(", StringComparison.Ordinal) && !line.Contains(".Seeded().Sample(", StringComparison.Ordinal)
                    select $"{Relative(file)}: {line.Trim()}";

        Assert.That(lines, Is.Empty);
    }

    private static IEnumerable<string> LongLines(string file)
    {
        var isRaw = false;
        foreach (var (index, line) in File.ReadLines(file).Index())
        {
            var begins = !isRaw && IsOdd(line);
            if (line.Length > MaxLineLength && !isRaw && !line.Contains("\"\"\"", StringComparison.Ordinal)) yield return $"{Relative(file)}:{index + 1}";
            if (isRaw && IsOdd(line)) isRaw = false;
            else if (begins) isRaw = true;
        }
    }

    /// <summary>Whether a raw string literal begins or ends on the line.</summary>
    private static bool IsOdd(string line) => (line.Split("\"\"\"").Length - 1) % 2 == 1;

    private static string Relative(string file) => Path.GetRelativePath(Repository.Root, file);
}
