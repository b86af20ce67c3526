using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// The rooms of the front door: a room uses only rooms of lower levels, and rooms of one level do not see each other. The transports do not see each other
/// either, only what lies beside them.
/// </summary>
internal sealed class IngressLevelTests
{
    private const string Prefix = "Piccolo.Api.Ingress.";

    private static readonly Dictionary<string, int> Levels = new(StringComparer.Ordinal)
    {
        ["Diagnostics"] = 0,
        ["Configuration"] = 1,
        ["EventLoop"] = 1,
        ["Responses"] = 1,
        ["Origin"] = 2,
        ["Limits"] = 3,
        ["PassThrough"] = 4,
        ["Forwarding"] = 4,
        ["Tls"] = 5,
        ["Transports"] = 6,
        ["Dispatch"] = 6,
        ["Composition"] = 7,
    };

    private static readonly List<IType> Types =
        [.. new ArchLoader().LoadAssembly(typeof(IngressOptions).Assembly).Build().Types.Where(t => t.FullName.StartsWith(Prefix, StringComparison.Ordinal))];

    [Test]
    public void Rooms_AreAllInTheTable()
    {
        Assert.That(Types, Has.Count.GreaterThan(80), "the architecture was not loaded");
        Assert.That(Types.Select(RoomOf).Distinct(), Is.EquivalentTo(Levels.Keys));
    }

    [Test]
    public void Rooms_UseOnlyLowerLevels() => Assert.That(
        Uses().Where(u => RoomOf(u.From) != RoomOf(u.To) && Levels[RoomOf(u.To)] >= Levels[RoomOf(u.From)])
            .Select(u => $"{u.From.FullName} -> {u.To.FullName}"), Is.Empty);

    [Test]
    public void Transports_DoNotSeeEachOther() => Assert.That(
        Uses().Where(u => TransportOf(u.From) is { } from && TransportOf(u.To) is { } to && from != to).Select(u => $"{u.From.FullName} -> {u.To.FullName}"),
        Is.Empty);

    private static IEnumerable<(IType From, IType To)> Uses() =>
        Types.SelectMany(from => from.Dependencies.Select(d => d.Target).Where(to => to.FullName.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(to => (from, to))).Distinct();

    private static string RoomOf(IType type) => type.FullName[Prefix.Length..].Split('.')[0];

    // Piccolo.Api.Ingress.Transports.<Transport>.<Type>; null for what they share.
    private static string? TransportOf(IType type) => type.FullName[Prefix.Length..].Split('.') is ["Transports", var transport, _, ..] ? transport : null;
}
