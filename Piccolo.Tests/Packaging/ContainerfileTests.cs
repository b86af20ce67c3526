using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Packaging;

/// <summary>The images' recipes, and what a build may see of the checkout.</summary>
internal sealed partial class ContainerfileTests
{
    private static readonly string[] Lines = File.ReadAllLines(Repository.File("packaging/oci/Containerfile"));

    private static readonly string[] FromTheCheckout = ["packaging/oci/Containerfile", "compose/images/devrelay.Containerfile"];

    private static readonly string[] Recipes = [.. FromTheCheckout, "compose/images/pebble.Containerfile", "compose/images/nexus.Containerfile"];

    [TestCaseSource(nameof(FromTheCheckout))]
    public void Copy_EverySource_ExistsAndIsSeenByTheBuild(string recipe)
    {
        var sources = SourcesOf(recipe).ToList();

        Assert.That(sources, Is.Not.Empty);
        foreach (var source in sources)
        {
            Assert.That(Path.Exists(Repository.File(source)), Is.True, $"{source} exists");
            Assert.That(IsSeen(source), Is.True, $"{source} is not ignored");
        }
    }

    [TestCase(".git")]
    [TestCase("artifacts")]
    [TestCase("run-state")]
    [TestCase("compose/generated/root-key.pem")]
    [TestCase("compose/generated/device-secret")]
    [TestCase("tools/Rig")]
    [TestCase("Piccolo.Tests")]
    [TestCase("docs")]
    [TestCase("tools/Bench")]
    public void Context_WhatNoImageNeeds_IsIgnored(string path) => Assert.That(IsSeen(path), Is.False);

    [TestCase("Piccolo.Api/run-state/keyset.json")]
    [TestCase("Piccolo.Core/bin/Release/x.dll")]
    [TestCase("tools/DevRelay/obj/project.assets.json")]
    public void Context_StateAndBuildsBesideSources_AreIgnored(string path) =>
        Assert.That(IgnoreLines().Any(
            line => line.StartsWith("**/", StringComparison.Ordinal) && path.Contains('/' + line[3..] + '/', StringComparison.Ordinal)), Is.True);

    [Test]
    public void IgnoreFiles_OfBothEngines_AreEqual() =>
        Assert.That(File.ReadAllText(Repository.File(".dockerignore")), Is.EqualTo(File.ReadAllText(Repository.File(".containerignore"))));

    [TestCaseSource(nameof(Recipes))]
    public void BaseImages_OfEveryRecipe_AreNamedWithATag(string recipe)
    {
        var images = File.ReadLines(Repository.File(recipe)).Select(l => BaseImage().Match(l)).Where(m => m.Success).Select(m => m.Groups["image"].Value)
            .ToList();

        Assert.That(images, Has.Count.EqualTo(2));
        Assert.That(images, Has.All.Match("/[^/:]+:(?!latest$)[^/]+$"));
    }

    [Test]
    public void Expose_OfTheAppliance_IsPlainHttpAndTls() =>
        Assert.That(Lines.Where(l => l.StartsWith("EXPOSE ", StringComparison.Ordinal)), Is.EqualTo(["EXPOSE 80 443"]));

    [TestCase("packaging/oci/Containerfile", "ENV ")]
    [TestCase("packaging/systemd/piccolo.service", "Environment=")]
    public void SetupCode_OfWhatIsInstalled_IsRequired(string recipe, string setting) =>
        Assert.That(File.ReadLines(Repository.File(recipe)), Does.Contain(setting + "Piccolo__Vault__RequireSetupCode=true"));

    [Test]
    public void HealthCheck_OfTheAppliance_RunsAProgramOfTheImage()
    {
        var check = Lines.Single(l => l.StartsWith("HEALTHCHECK ", StringComparison.Ordinal));

        Assert.That(check, Does.EndWith("CMD [\"/usr/lib/piccolo/probe\"]"));
        Assert.That(Lines, Does.Contain("COPY packaging/oci/probe /usr/lib/piccolo/probe"));
        Assert.That(File.GetUnixFileMode(Repository.File("packaging/oci/probe")).HasFlag(UnixFileMode.OtherExecute), Is.True,
            "it keeps the mode that git gives it");
    }

    private static IEnumerable<string> SourcesOf(string recipe) =>
        from line in File.ReadLines(Repository.File(recipe))
        where line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from=", StringComparison.Ordinal)
        from source in line.Split(' ')[1..^1]
        select source;

    /// <summary>By the shape of our file: everything is ignored first, then paths are let in.</summary>
    private static bool IsSeen(string path)
    {
        Assert.That(IgnoreLines()[0], Is.EqualTo("*"));
        return IgnoreLines().Where(l => l.StartsWith('!')).Any(l => path == l[1..] || path.StartsWith(l[1..] + "/", StringComparison.Ordinal));
    }

    private static string[] IgnoreLines() => [.. File.ReadLines(Repository.File(".containerignore")).Where(l => l.Length > 0 && !l.StartsWith('#'))];

    [GeneratedRegex("^ARG [A-Z]+_IMAGE=(?<image>.+)$")]
    private static partial Regex BaseImage();
}
