using System.Reflection;
using System.Text.RegularExpressions;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Each hop of a path on the architecture page is a method that exists.</summary>
internal sealed partial class ArchitecturePageTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;

    private static readonly ILookup<string, Type> Types = new[] { typeof(ChangeSignal).Assembly, typeof(IngressOptions).Assembly }
        .SelectMany(assembly => assembly.GetTypes()).ToLookup(type => type.Name.Split('`')[0], StringComparer.Ordinal);

    [Test]
    public void Hops_AreMembersThatExist()
    {
        var page = File.ReadAllText(Repository.File("docs/dev/architecture.md"));
        var hops = Hop().Matches(page).Select(m => (Type: m.Groups[1].Value, Member: m.Groups[2].Value)).Where(hop => hop.Type != "Piccolo").ToList();

        Assert.That(hops, Has.Count.GreaterThan(150), "the page was not read");
        Assert.That(hops.Where(hop => !Types[hop.Type].Any(type => HasMember(type, hop.Member))).Distinct(), Is.Empty);
    }

    private static bool HasMember(Type type, string member) =>
        member == type.Name || type.GetMembers(All).Any(own => own.Name == member || own.Name.EndsWith($".{member}", StringComparison.Ordinal));

    [GeneratedRegex("`([A-Z][A-Za-z0-9]+)\\.([A-Z][A-Za-z0-9]+)`")]
    private static partial Regex Hop();
}
