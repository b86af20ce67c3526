using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>What is restored is what was reviewed, on every machine.</summary>
internal sealed class LockFilesTests
{
    private static readonly string[] Projects =
        [.. new[] { "Piccolo.Api", "Piccolo.Core", "Piccolo.Tests", "tools" }.SelectMany(
            f => Directory.EnumerateFiles(Repository.File(f), "*.csproj", SearchOption.AllDirectories)).Select(p => Path.GetRelativePath(Repository.Root, p))];

    [Test]
    public void EveryProject_HasALockFileForNoArchitecture([ValueSource(nameof(Projects))] string project)
    {
        var file = Path.Combine(Repository.File(Path.GetDirectoryName(project)!), "packages.lock.json");
        Assert.That(file, Does.Exist, "./dev lock writes it");

        // A restore for one architecture adds "net10.0/linux-x64".
        var targets = JsonNode.Parse(File.ReadAllText(file))!["dependencies"]!.AsObject().Select(t => t.Key);
        Assert.That(targets, Is.EqualTo(new[] { "net10.0" }), "restored with a runtime identifier; ./dev lock writes it anew");
    }
}
