using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Tests.Core.Apps.Manifest;

internal sealed class ManifestHostileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private static IEnumerable<TestCaseData> Hostile =>
        HostileManifests.All.Select(h => new TestCaseData(h.Text).SetArgDisplayNames(h.Name.Replace("\\", "", StringComparison.Ordinal)));

    [OneTimeSetUp]
    public void WarmUp() => AppManifestParser.Parse("name: A\nservices: { a: { user: 'x x', depends_on: { b: started } } }\nimgae: x");

    [Test]
    public void Set_IsLargeAndHasNothingTwice()
    {
        Assert.That(HostileManifests.All.Count(), Is.GreaterThanOrEqualTo(150));
        Assert.That(HostileManifests.All.GroupBy(h => h.Name).Where(g => g.Count() > 1).Select(g => g.Key), Is.Empty);
    }

    [TestCaseSource(nameof(Hostile))]
    public void Parse_Hostile_IsRefusedSoonWithBoundedErrors(string text)
    {
        var times = new List<TimeSpan>();
        ManifestResult result = null!;
        // What is compiled meanwhile counts too, and less each time.
        do times.Add(ThreadTime.Of(() => result = AppManifestParser.Parse(text)));
        while (times[^1] > Patience && times.Count < 5);

        Assert.That(result.Errors, Has.Length.InRange(1, ManifestErrorList.MaxErrors + 1));
        Assert.That(times[^1], Is.LessThan(Patience), string.Join(' ', times));
        Assert.That(result.Errors.Max(e => e.ToString().Length), Is.LessThan(1_000));
        Assert.That(result.Errors.SelectMany(e => $"{e.Path}{e.Message}{e.Suggestion}").Where(char.IsControl), Is.Empty);
        Assert.That(result.Errors.Where(e => e.Line < 1 || e.Column < 1 || e.Code.Length == 0), Is.Empty);
    }
}
