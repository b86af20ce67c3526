using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Domain.Dependencies;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// <c>internal</c> is a wall between the features of Piccolo.Core. What one feature uses of another's inside stands in a table of
/// <c>docs/dev/architecture.md</c>, with the reason: internal types, and internal members of public types. <c>Primitives</c> is for all.
/// </summary>
internal sealed partial class WallTests
{
    private const string ForAll = "Primitives";
    private const int ShortestReason = 30;

    private static readonly Row[] Rows =
    [
        .. File.ReadLines(Repository.File("docs/dev/architecture.md"))
            .SkipWhile(line => !line.StartsWith("| feature | uses inside of |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => new Row(cells[1].Trim('`'), cells[2].Trim('`'), [.. Name().Matches(cells[3]).Select(m => m.Groups[1].Value)], cells[4])),
    ];

    private static readonly HashSet<Use> Listed = [.. Rows.SelectMany(row => row.Names.Select(name => new Use(row.From, row.To, name)))];

    private static readonly HashSet<Use> Seen = Look();

    [Test]
    public void Features_UseOfEachOtherOnlyWhatIsPublicOrListed() => Assert.That(Seen.Except(Listed), Is.Empty);

    /// <summary>Also shows that uses in the bodies of methods, asynchronous ones too, are seen.</summary>
    [Test]
    public void Table_ListsOnlyWhatIsUsed()
    {
        Assert.That(Listed, Is.Not.Empty, "the table was not read");
        Assert.That(Listed.Except(Seen), Is.Empty);
    }

    [Test]
    public void Table_HasOneRowForTwoFeatures_AndAReasonInEach()
    {
        Assert.That(Rows.Select(row => (row.From, row.To)), Is.Unique);
        Assert.That(Rows.Where(row => row.Names.Length == 0 || row.Reason.Length < ShortestReason), Is.Empty);
    }

    private static HashSet<Use> Look()
    {
        var core = typeof(ChangeSignal).Assembly;
        var hidden = core.GetTypes().Where(type => !type.IsVisible).Select(type => type.FullName!).ToHashSet(StringComparer.Ordinal);
        var types = LevelTable.Of("Piccolo.Core", core).Types;
        var own = types.Select(type => type.FullName).ToHashSet(StringComparer.Ordinal);
        var uses = from type in types
                   from dependency in type.Dependencies
                   let target = dependency.Target
                   where own.Contains(target.FullName) && FeatureOf(target) != ForAll && FeatureOf(target) != FeatureOf(type)
                   let name = hidden.Contains(target.FullName) ? target.Name : HiddenMember(dependency)
                   where name is not null
                   select new Use(FeatureOf(type), FeatureOf(target), name);
        return [.. uses];
    }

    /// <returns>As <c>Type.Member</c>; null where a public member is used, or none.</returns>
    private static string? HiddenMember(ITypeDependency dependency)
    {
        if (dependency is not IMemberMemberDependency { TargetMember: { Visibility: not Visibility.Public } member }) return null;
        // What "with" calls of another's record.
        if (member.Name == $".ctor({dependency.Target.FullName})") return null;
        var name = Accessor().Replace(member.Name.Split('(')[0], "");
        return $"{dependency.Target.Name}.{name}";
    }

    private static string FeatureOf(IType type) => type.FullName["Piccolo.Core.".Length..].Split('.')[0];

    [GeneratedRegex("`([A-Za-z0-9.]+)`")]
    private static partial Regex Name();

    [GeneratedRegex("^(get|set)_")]
    private static partial Regex Accessor();

    private sealed record Row(string From, string To, string[] Names, string Reason);

    private sealed record Use(string From, string To, string Name);
}
