using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>What is restored is what was reviewed, on every machine.</summary>
internal sealed class LockFilesTests
{
    private static readonly string[] Projects =
        [.. new[] { "Piccolo.Api", "Piccolo.Core", "Piccolo.Tests", "tools" }.SelectMany(
            f => Directory.EnumerateFiles(Repository.File(f), "*.csproj", SearchOption.AllDirectories)).Select(p => Path.GetRelativePath(Repository.Root, p))];

    /// <summary>Of what packages are built from, for what they are built for; of everything else, for no architecture.</summary>
    [Test]
    public void EveryProject_HasALockFileForWhatItIsBuiltFor([ValueSource(nameof(Projects))] string project)
    {
        var file = Path.Combine(Repository.File(Path.GetDirectoryName(project)!), "packages.lock.json");
        Assert.That(file, Does.Exist, "./dev lock writes it");

        var isPackaged = Path.GetDirectoryName(project) is "Piccolo.Api" or "Piccolo.Core";
        string[] expected = ["net10.0", .. isPackaged ? ["net10.0/linux-arm64", "net10.0/linux-x64"] : Array.Empty<string>()];
        var targets = JsonNode.Parse(File.ReadAllText(file))!["dependencies"]!.AsObject().Select(t => t.Key);
        Assert.That(targets, Is.EqualTo(expected), "./dev lock writes it anew");
    }
}
