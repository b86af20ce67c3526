using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// The certificate engine could be a package of its own: of the product it knows only
/// names, signals and traces, and whoever hosts it gives it a store.
/// </summary>
internal sealed class CertificateEngineTests
{
    private const string Engine = "Piccolo.Core.Certificates";
    private const string Acme = Engine + ".Acme";
    private const string Hosting = Engine + ".Hosting";
    private const string Primitives = "Piccolo.Core.Primitives";

    private static readonly ArchUnitNET.Domain.Architecture Core = new ArchLoader().LoadAssembly(typeof(ChangeSignal).Assembly).Build();

    [Test]
    public void Engine_KnowsNothingOfTheProductBesidePrimitives()
    {
        var types = Core.Types.Where(t => HomeOf(t) is Engine or Acme).ToList();

        Assert.That(types, Has.Count.GreaterThan(100), "the engine was not loaded");
        Assert.That(types.SelectMany(t => Outside(t)).Distinct(), Is.Empty);
    }

    [Test]
    public void Acme_KnowsNothingOfTheSchedulerAboveIt() => Assert.That(
        Core.Types.Where(t => HomeOf(t) == Acme)
            .SelectMany(t => t.Dependencies.Select(d => d.Target).Where(d => HomeOf(d) is Engine or Hosting).Select(d => $"{t.FullName} -> {d.FullName}"))
                .Distinct(),
        Is.Empty);

    [Test]
    public void Hosting_IsWhatJoinsItToTheProduct() =>
        Assert.That(Core.Types.Where(t => HomeOf(t) == Hosting).SelectMany(t => Outside(t)), Is.Not.Empty, "else the rule above sees nothing");

    // Type parameters live nowhere, or wherever one of the same letter was seen first.
    private static string HomeOf(IType type)
    {
        var name = type.Namespace?.FullName ?? "";
        return new[] { Hosting, Acme, Engine, Primitives }.FirstOrDefault(home => name == home || name.StartsWith(home + ".", StringComparison.Ordinal))
            ?? name;
    }

    private static IEnumerable<string> Outside(IType type) =>
        from target in type.Dependencies.Select(d => d.Target).Where(d => d is not GenericParameter)
        let home = HomeOf(target)
        where home.StartsWith("Piccolo.", StringComparison.Ordinal) && home is not (Engine or Acme or Primitives)
        select $"{type.FullName} -> {target.FullName}";
}
