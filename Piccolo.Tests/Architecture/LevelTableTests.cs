using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// The house's levels: a Core feature uses only features of lower levels; features of one level do not see each other. Falling levels make cycles
/// impossible. (The composition root in Piccolo.Api joins what must meet.)
/// </summary>
internal sealed class LevelTableTests
{
    private static readonly Dictionary<string, int> Levels = new(StringComparer.Ordinal)
    {
        ["Primitives"] = 0,
        ["Http"] = 0,
        ["Tls"] = 0,
        ["ProxyProtocol"] = 0,
        ["Network"] = 1,
        ["Vault"] = 2,
        ["Leadership"] = 2,
        ["Health"] = 1,
        ["ControlStore"] = 3,
        ["Certificates"] = 4,
        ["Listeners"] = 4,
        ["Containers"] = 4,
        ["Auth"] = 4,
        ["Jobs"] = 4,
        ["Audit"] = 4,
        ["Exports"] = 4,
        ["Routing"] = 5,
        ["Tunnel"] = 5,
        ["Apps"] = 5,
        ["Remote"] = 6,
    };

    private static readonly ArchUnitNET.Domain.Architecture Core = new ArchLoader().LoadAssembly(typeof(ChangeSignal).Assembly).Build();

    [Test]
    public void Features_UseOnlyLowerLevels()
    {
        var types = Core.Types.Where(t => FeatureOf(t) is not null).ToList();
        var violations = types
            .SelectMany(type => type.Dependencies.Select(d => d.Target).Where(target => FeatureOf(target) is not null)
                .Where(target => FeatureOf(target) != FeatureOf(type) && Level(target) >= Level(type))
                .Select(target => $"{type.FullName} -> {target.FullName}"))
            .Distinct().ToList();

        Assert.That(types, Has.Count.GreaterThan(40), "the architecture was not loaded");
        Assert.That(violations, Is.Empty);
    }

    [Test]
    public void Features_AreAllInTheTable() => Assert.That(
        Core.Types.Select(FeatureOf).OfType<string>().Distinct().Where(f => !Levels.ContainsKey(f)), Is.Empty);

    private static int Level(IType type) => Levels[FeatureOf(type)!];

    // Piccolo.Core.<Feature>[.<more>].<Type>
    private static string? FeatureOf(IType type)
    {
        var parts = type.FullName.Split('.');
        return parts is ["Piccolo", "Core", var feature, _, ..] ? feature : null;
    }
}
