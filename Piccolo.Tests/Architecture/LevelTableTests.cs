using Piccolo.Api.Platform;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// A folder uses only folders of lower levels, and folders of one level do not use each other: so there are no cycles. The levels are those of
/// <c>docs/dev/architecture.md</c>.
/// </summary>
[TestFixture("Piccolo.Core", typeof(ChangeSignal), 300)]
[TestFixture("Piccolo.Api", typeof(ApplianceOptions), 150)]
[TestFixture("Piccolo.Api.Ingress", typeof(ApplianceOptions), 80)]
internal sealed class LevelTableTests(string folder, Type member, int leastTypes)
{
    private readonly LevelTable _table = LevelTable.Of(folder, member.Assembly);

    [Test]
    public void Table_NamesEveryFolder()
    {
        Assert.That(_table.Types, Has.Count.GreaterThan(leastTypes), "the types were not loaded");
        Assert.That(_table.Folders, Is.EquivalentTo(_table.Levels.Keys));
    }

    [Test]
    public void Folders_UseOnlyLowerLevels() => Assert.That(_table.Violations(), Is.Empty);

    [Test]
    public void Transports_DoNotUseEachOther() => Assert.That(_table.UsesWithin("Transports"), Is.Empty);
}
