using Microsoft.Extensions.Configuration;
using Piccolo.Api.Platform;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Platform;

/// <summary>Which setting counts when several places have one.</summary>
internal sealed class SettingsOrderTests
{
    // A name of this test's own: the environment belongs to the whole process.
    private const string Section = "Piccolo:SettingsOrderTests";

    [Test]
    public async Task Settings_InFileEnvironmentAndArguments_TheLaterCounts()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("appsettings.json"), """{"Piccolo":{"SettingsOrderTests":{"A":"file","B":"file","C":"file"}}}""");
        Environment.SetEnvironmentVariable("Piccolo__SettingsOrderTests__B", "environment");
        Environment.SetEnvironmentVariable("Piccolo__SettingsOrderTests__C", "environment");
        var packaged = new Dictionary<string, string?> { [$"{Section}:A"] = "packaged", [$"{Section}:D"] = "packaged" };

        var found = new ConfigurationBuilder().AddInMemoryCollection(packaged).AddSettings(folder.File("appsettings.json"), [$"--{Section}:C=argument"]).Build()
            .GetSection(Section);

        Assert.That((found["A"], found["B"], found["C"], found["D"]), Is.EqualTo(("file", "environment", "argument", "packaged")));
    }

    [Test]
    public void Settings_WithoutTheOwnersFile_AreThoseOfThePackage() =>
        Assert.That(new ConfigurationBuilder().AddSettings("/nonexistent/appsettings.json", []).Build().GetSection(Section)["A"], Is.Null);
}
