using System.Collections.Immutable;
using System.Reflection;
using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Containers;

/// <summary>Whatever member of a spec changes, the hash does: else a container would stay as it was.</summary>
internal sealed class ContainerSpecHashTests
{
    /// <summary>Two installations share no containers.</summary>
    private static readonly string[] LeftOut = [nameof(ContainerSpec.Instance)];

    private static IEnumerable<PropertyInfo> Members => typeof(ContainerSpec).GetProperties().Where(p => p.CanWrite && !LeftOut.Contains(p.Name));

    [Test]
    public void Members_AreAllSeen() => Assert.That(Members.Count(), Is.GreaterThan(20));

    [TestCaseSource(nameof(Members))]
    public void Hash_OneMemberChanged_Differs(PropertyInfo member)
    {
        var spec = Spec();
        var hashes = Others(member.GetValue(spec), member.PropertyType).Select(other => With(spec, member, other).Hash).Prepend(spec.Hash).ToList();

        Assert.That(hashes, Has.Count.GreaterThan(1));
        Assert.That(hashes, Is.Unique);
        Assert.That(With(spec, member, member.GetValue(spec)).Hash, Is.EqualTo(spec.Hash), "the same again is the same");
    }

    /// <summary>The same words in other places are other members.</summary>
    [Test]
    public void Hash_WordsThatMove_Differs()
    {
        ContainerSpec[] specs =
        [
            Spec() with { Command = ["a", "b"], Entrypoint = [] },
            Spec() with { Command = ["a b"], Entrypoint = [] },
            Spec() with { Command = ["b", "a"], Entrypoint = [] },
            Spec() with { Command = [], Entrypoint = ["a", "b"] },
            Spec() with { Command = ["b"], Entrypoint = ["a"] },
            Spec() with { Command = ["b"], Entrypoint = [], Aliases = ["a"] },
            Spec() with { Command = ["b"], Entrypoint = [], Aliases = [], User = "a" },
            Spec() with { Command = ["b"], Entrypoint = [], Aliases = [], User = null, Hostname = "a" },
        ];

        Assert.That(specs.Select(s => s.Hash), Is.Unique);
    }

    [Test]
    public void Hash_MountsAndPortsInAnotherOrder_IsTheSame() => Assert.That(
        (Spec() with { Mounts = [.. Spec().Mounts.Reverse()], Ports = [.. Spec().Ports.Reverse()] }).Hash, Is.EqualTo(Spec().Hash));

    private static ContainerSpec With(ContainerSpec spec, PropertyInfo member, object? value)
    {
        var copy = spec with { };
        member.SetValue(copy, value);
        return copy;
    }

    private static IEnumerable<object?> Others(object? value, Type type) => value switch
    {
        ImageReference => [ImageReference.Parse("web:2")],
        bool set => [!set],
        string text => IsNullable(type, text) ? [text + "x", "", null] : [text + "x"],
        long number => [number + 1, null],
        ImmutableArray<string> words =>
        [
            words.Add(""), words.RemoveAt(0), words.SetItem(0, "other"), ImmutableArray<string>.Empty,
            .. Nullable.GetUnderlyingType(type) is null ? Array.Empty<object?>() : [null],
        ],
        NetworkRights rights =>
        [
            rights with { Internet = !rights.Internet }, rights with { LocalNetwork = !rights.LocalNetwork }, rights with { Dns = !rights.Dns },
        ],
        ImmutableArray<PortPublication> ports =>
        [
            ports.RemoveAt(0), ports.SetItem(0, ports[0] with { GuestPort = 1 }), ports.SetItem(0, ports[0] with { GuardPort = 1 }),
        ],
        ImmutableArray<BindMount> mounts =>
        [
            mounts.RemoveAt(0), mounts.SetItem(0, mounts[0] with { Path = "/other" }), mounts.SetItem(0, mounts[0] with { Source = "/other" }),
            mounts.SetItem(0, mounts[0] with { IsReadOnly = !mounts[0].IsReadOnly }),
        ],
        ImmutableSortedDictionary<string, string> map => [map.Clear(), map.Add("new", ""), map.SetItem(map.Keys.First(), "other")],
        ImmutableSortedDictionary<string, long> map => [map.Clear(), map.Add("/new", 0), map.SetItem(map.Keys.First(), 1)],
        ImmutableSortedDictionary<string, ImmutableArray<string>> map => [map.Clear(), map.Add("new", []), map.SetItem(map.Keys.First(), ["other"])],
        _ => throw new InvalidOperationException($"Say here what another {type} is."),
    };

    /// <summary>Of the strings, the optional ones: they are those that may be set after the constructor.</summary>
    private static bool IsNullable(Type type, string text) => type == typeof(string) && text.StartsWith("optional", StringComparison.Ordinal);

    private static ContainerSpec Spec() => new(
        InstanceId.NewRandom(), "web", "db", ImageReference.Parse("web:1"), ImmutableSortedDictionary<string, string>.Empty.Add("A", "1").Add("B", "2"),
        [new PortPublication(80, 15000), new PortPublication(81, 15001)], 64L << 20, 500_000_000)
    {
        ImageId = "optional-id",
        Command = ["serve", "--all"],
        Entrypoint = ["/bin/app", "-v"],
        User = "optional-user",
        WorkingDirectory = "optional-folder",
        Hostname = "optional-host",
        HasInit = true,
        Aliases = ["database", "store"],
        Peers = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("main", ["web"]).Add("cache", []),
        Mounts = [new BindMount("/a", "/x/a", true), new BindMount("/b", "/x/b", false)],
        StopSignal = "optional-signal",
        SharedMemoryBytes = 1 << 20,
        TemporaryFolders = ImmutableSortedDictionary<string, long>.Empty.Add("/cache", 1 << 20),
        IsRootReadOnly = true,
        Rights = new NetworkRights(true, false, true),
        Capabilities = ["NET_RAW", "SYS_NICE"],
        HasNewPrivileges = true,
        Sysctls = ImmutableSortedDictionary<string, string>.Empty.Add("net.a", "1").Add("net.b", "2"),
        Revision = "r1",
    };
}
