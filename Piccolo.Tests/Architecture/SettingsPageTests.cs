using Piccolo.Tests.Architecture.Pages;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Owners read the settings in <c>docs/owner/settings.md</c>: it changes only together with the option classes (<c>./dev settings</c>).</summary>
internal sealed class SettingsPageTests
{
    private static readonly string PagePath = Repository.File("docs/owner/settings.md");

    [Test]
    public async Task Tables_EqualTheOptionClasses()
    {
        var tables = SettingsPage.Tables();
        if (Environment.GetEnvironmentVariable("PICCOLO_UPDATE_SETTINGS") is { Length: > 0 } path)
        {
            var (before, _, after) = Parts(await File.ReadAllTextAsync(path));
            await File.WriteAllTextAsync(path, before + tables + after);
        }

        Assert.That(Parts(await File.ReadAllTextAsync(PagePath)).Tables, Is.EqualTo(tables), "Run ./dev settings and look at the difference.");
    }

    [Test]
    public void Settings_AllHaveAMeaning()
    {
        var settings = SettingsPage.Sections().SelectMany(s => s.Settings).ToList();

        Assert.That(settings, Has.Count.GreaterThan(100));
        Assert.That(settings.Where(s => s.Meaning.Length == 0).Select(s => s.Key), Is.Empty);
        Assert.That(settings.GroupBy(s => s.Key).Where(g => g.Count() > 1).Select(g => g.Key), Is.Empty, "twice");
    }

    [Test]
    public void Settings_LeftOut_AreThere() =>
        Assert.That(SettingsPage.LeftOut.Keys.Except(SettingsPage.Sections().SelectMany(s => s.Settings).Select(s => s.Key)), Is.Empty);

    private static (string Before, string Tables, string After) Parts(string page)
    {
        var (from, to) = (page.IndexOf(SettingsPage.Begin, StringComparison.Ordinal) + SettingsPage.Begin.Length,
            page.IndexOf(SettingsPage.End, StringComparison.Ordinal));
        return (page[..from], page[from..to], page[to..]);
    }
}
