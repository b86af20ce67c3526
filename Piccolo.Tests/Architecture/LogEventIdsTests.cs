using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Event ids are for ever: unique, and each area in its block.</summary>
internal sealed class LogEventIdsTests
{
    private static readonly (string Namespace, int First, int Last)[] Blocks =
    [
        ("Piccolo.Api.Ingress", 1000, 1999),
        ("Piccolo.Core.Certificates", 2000, 2999),
        ("Piccolo.Core.Tunnel", 3000, 3999),
        ("Piccolo.Core.Leadership", 4000, 4499),
        ("Piccolo.Core.Remote", 4500, 4999),
        ("Piccolo.Core.Apps", 5000, 5099),
        ("Piccolo.Core.Containers", 5100, 5199),
        ("Piccolo.Core.Listeners", 5200, 5299),
        ("Piccolo.Core.Volumes", 5300, 5399),
        ("Piccolo.Core.Vault", 6000, 6099),
        ("Piccolo.Core.Health", 6100, 6199),
        ("Piccolo.Core.ControlStore", 6200, 6499),
        ("Piccolo.Core.Jobs", 6500, 6599),
        ("Piccolo.Core.Exports", 6600, 6699),
        ("Piccolo.Core.Audit", 6700, 6799),
        ("Piccolo.Core.Network", 6800, 6899),
        ("Piccolo.Core.Auth", 6900, 6999),
        ("Piccolo.Core.Locking", 7200, 7299),
        ("Piccolo.Api", 7000, 7999),
    ];

    private static readonly (string Where, string Namespace, int Id)[] Events =
    [
        .. from assembly in new[] { typeof(Piccolo.Core.Health.HealthTracker).Assembly, typeof(Piccolo.Api.Platform.ApplianceOptions).Assembly }
           from type in assembly.GetTypes()
           from method in type.GetMethods(
               BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
           where attribute is not null
           select ($"{type.Name}.{method.Name}", type.Namespace!, attribute.EventId),
    ];

    [Test]
    public void Ids_AreUnique() =>
        Assert.That(Events.GroupBy(e => e.Id).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(", ", g.Select(e => e.Where))}"), Is.Empty);

    [Test]
    public void Ids_LieInTheirAreasBlock()
    {
        Assert.That(Events, Has.Length.GreaterThan(20));
        Assert.That(Events.Where(e => !InBlock(e.Namespace, e.Id)).Select(e => $"{e.Where} = {e.Id}"), Is.Empty);
    }

    /// <summary>Owners filter and alert by these. The list only grows: a line whose event is gone stays, so that nothing else takes its id.</summary>
    [Test]
    public void Ids_AreAsTheyWereEverGiven()
    {
        var given = File.ReadAllLines(Repository.File("Piccolo.Tests/TestData/log-events.txt")).Select(l => l.Split(' '))
            .ToDictionary(l => int.Parse(l[0], CultureInfo.InvariantCulture), l => l[1]);

        Assert.That(Events.Where(e => given.GetValueOrDefault(e.Id, e.Where) != e.Where).Select(e => $"{e.Id} was {given[e.Id]} and is {e.Where}"), Is.Empty);
        Assert.That(Events.Where(e => !given.ContainsKey(e.Id)).Select(e => $"{e.Id} {e.Where}"), Is.Empty, "new events: add these lines to the list");
    }

    private static bool InBlock(string ns, int id)
    {
        var block = Blocks.FirstOrDefault(b => ns == b.Namespace || ns.StartsWith(b.Namespace + ".", StringComparison.Ordinal));
        return block.Namespace is not null && id >= block.First && id <= block.Last;
    }
}
