using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Core.Containers;

internal sealed class ContainerSpecTests
{
    private static readonly InstanceId Instance = InstanceId.NewRandom();

    [Test]
    public void Hash_SameMembersInAnyOrder_IsTheSame()
    {
        var other = Spec() with
        {
            Ports = [.. Spec().Ports.Reverse()],
            Environment = ImmutableSortedDictionary.CreateRange(StringComparer.OrdinalIgnoreCase, Spec().Environment),
        };

        Assert.That(other.Hash, Is.EqualTo(Spec().Hash).And.Length.EqualTo(64));
    }

    [Test]
    public void Name_And_Labels_CarryTheInstance()
    {
        Assert.That(Spec().Name, Is.EqualTo($"piccolo-{Instance.Value[..8]}-web"));
        Assert.That(Spec().Labels, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["io.piccolo.instance"] = Instance.Value,
            ["io.piccolo.app"] = "web",
            ["io.piccolo.service"] = "main",
            ["io.piccolo.spec"] = Spec().Hash,
            ["io.piccolo.network"] = "",
            ["io.piccolo.address"] = "",
        }));
    }

    [Test]
    public void Names_OfServices_MeetNoOtherAppsAndTheMainOneKeepsItsOwn()
    {
        var own = ContainerSpec.VolumeNameOf(Instance, "web", ContainerSpec.MainService, "/data");
        string[] names =
        [
            ContainerSpec.NameOf(Instance, "web", "main"), ContainerSpec.NameOf(Instance, "web", "db"), ContainerSpec.NameOf(Instance, "web-db", "main"), own,
            ContainerSpec.VolumeNameOf(Instance, "web", "db", "/data"), ContainerSpec.VolumeNameOf(Instance, "web", "db-1", "/data"),
            ContainerSpec.VolumeNameOf(Instance, "web-db", "main", "/data"), ContainerSpec.VolumeNameOf(Instance, "web", "db", "/data2"),
        ];

        Assert.That(names, Is.Unique);
        Assert.That(own, Is.EqualTo($"piccolo-{Instance.Prefix}-web-bd47413b5c03"), "as releases before services named it");
    }

    [Test]
    public void ToString_NeverShowsTheEnvironment() => Assert.That(Spec().ToString(), Does.Not.Contain("canary"));

    [Test]
    public void InstanceId_WrittenOnce_StaysAndDamageIsReported()
    {
        var folder = Directory.CreateTempSubdirectory("piccolo-instance-");
        try
        {
            var paths = new StatePaths(folder.FullName);
            var first = InstanceId.ReadOrCreate(paths, out _);
            Assert.That(InstanceId.ReadOrCreate(paths, out var replaced), Is.EqualTo(first));
            Assert.That(replaced, Is.False);

            foreach (var damage in new[] { "", "../../etc", new string('A', 32), first.Value + "0", new string('0', 100_000) })
            {
                File.WriteAllText(paths.InstanceId, damage);
                Assert.That(InstanceId.ReadOrCreate(paths, out replaced).Value, Does.Match("^[0-9a-f]{32}$").And.Not.EqualTo(first.Value));
                Assert.That(replaced, Is.True);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ContainerSpec Spec() => new(Instance, "web", ContainerSpec.MainService, ImageReference.Parse("web:1"),
        ImmutableSortedDictionary<string, string>.Empty.Add("A", "1").Add("b", "canary"), [new PortPublication(80, 15000), new PortPublication(81, 15001)],
        64L << 20, 500_000_000);
}
