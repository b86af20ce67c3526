using System.Collections.Immutable;
using System.Net;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;

namespace Piccolo.Tests.Core.Containers;

internal sealed class ContainerConfinementTests
{
    private static readonly InstanceId Instance = InstanceId.NewRandom();
    private static readonly Surroundings Nothing = new(Surroundings.NoVolumes, [], Surroundings.NoAddresses);

    [Test]
    public void ToParameters_NothingSaid_LeavesItToTheImage()
    {
        var made = ContainerConfinement.ToParameters(Spec(), Nothing);

        Assert.That((made.Cmd, made.Entrypoint, made.User, made.WorkingDir, made.StopSignal, made.NetworkingConfig), Is.EqualTo((
            (IList<string>?)null, (IList<string>?)null, (string?)null, (string?)null, (string?)null, (Docker.DotNet.Models.NetworkingConfig?)null)));
        var host = made.HostConfig!;
        Assert.That((made.Hostname, host.Init, host.ShmSize, host.ReadonlyRootfs), Is.EqualTo(("main", (bool?)null, 0L, false)));
        Assert.That(made.HostConfig!.Binds!.Concat(made.HostConfig!.Tmpfs!.Keys).Concat(made.HostConfig!.ExtraHosts!), Is.Empty);
        Assert.That(made.HostConfig!.NetworkMode, Is.EqualTo($"piccolo-{Instance.Prefix}-web"));
    }

    [Test]
    public void ToParameters_EveryMember_IsHonoured()
    {
        var spec = Spec() with
        {
            Service = "db",
            Command = ["serve", "--all"],
            Entrypoint = ["/bin/app"],
            User = "999:999",
            WorkingDirectory = "/srv",
            Hostname = "stable",
            HasInit = true,
            StopSignal = "SIGINT",
            SharedMemoryBytes = 256L << 20,
            TemporaryFolders = ImmutableSortedDictionary<string, long>.Empty.Add("/run", 1 << 20).Add("/var/cache/", 2 << 20),
        };
        var mounts = ImmutableArray.Create(new BindMount("/data", "/volumes/data", false), new BindMount("/etc/app", "/volumes/conf", true));
        var made = ContainerConfinement.ToParameters(spec, Nothing with { Mounts = mounts, Volumes = Surroundings.NoVolumes.Add("/cache", "named") });

        Assert.That(made.Name, Is.EqualTo($"piccolo-{Instance.Prefix}-web.db"));
        Assert.That(made.Cmd, Is.EqualTo(new[] { "serve", "--all" }));
        Assert.That(made.Entrypoint, Is.EqualTo(new[] { "/bin/app" }));
        Assert.That((made.User, made.WorkingDir, made.Hostname, made.StopSignal), Is.EqualTo(("999:999", "/srv", "stable", "SIGINT")));
        Assert.That((made.HostConfig!.Init, made.HostConfig!.ShmSize), Is.EqualTo(((bool?)true, 256L << 20)));
        Assert.That(made.HostConfig!.Binds!, Is.EqualTo(
            new[] { "named:/cache", "/volumes/data:/data:rw,nosuid,nodev", "/volumes/conf:/etc/app:ro,nosuid,nodev" }));
        Assert.That(made.HostConfig!.Tmpfs!, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["/run"] = "rw,nosuid,nodev,exec,size=1048576,mode=1777",
            ["/var/cache"] = "rw,nosuid,nodev,noexec,size=2097152,mode=1777",
        }));
        Assert.That(made.Labels!["io.piccolo.service"], Is.EqualTo("db"));
        Assert.That(made.HostConfig!.NetworkMode, Is.EqualTo($"piccolo-{Instance.Prefix}-web"), "all services of an app are on one network");
    }

    [Test]
    public void ToParameters_ReadOnlyRoot_HasScratchWhereNothingElseIs()
    {
        var alone = ContainerConfinement.ToParameters(Spec() with { IsRootReadOnly = true }, Nothing);
        var full = ContainerConfinement.ToParameters(
            Spec() with { IsRootReadOnly = true },
            Nothing with { Mounts = [new BindMount("/tmp/", "/x", false)], Volumes = Surroundings.NoVolumes.Add("/run", "v") });

        Assert.That(alone.HostConfig!.ReadonlyRootfs, Is.True);
        Assert.That(alone.HostConfig!.Tmpfs!, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["/run"] = "rw,nosuid,nodev,exec,size=67108864,mode=1777",
            ["/tmp"] = "rw,nosuid,nodev,exec,size=268435456,mode=1777",
        }));
        Assert.That(full.HostConfig!.Tmpfs!, Is.Empty);
    }

    [Test]
    public void ToParameters_SeveralServices_KnowEachOtherByNameAndAlias()
    {
        var spec = Spec() with
        {
            Aliases = ["web", "db"],
            Peers = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("db", ["database", "web"]),
        };
        var addresses = Surroundings.NoAddresses.Add("db", IPAddress.Parse("10.1.2.200")).Add("main", IPAddress.Parse("10.1.2.201"));
        var made = ContainerConfinement.ToParameters(spec, Nothing with { Addresses = addresses });

        Assert.That(made.HostConfig!.ExtraHosts!, Is.EqualTo(new[] { "db:10.1.2.200", "main:10.1.2.201", "database:10.1.2.200", "web:10.1.2.200" }),
            "a name goes before an alias, and a name stands for one service only");
        var place = made.NetworkingConfig!.EndpointsConfig![$"piccolo-{Instance.Prefix}-web"];
        Assert.That((place.IPAMConfig!.IPv4Address, place.MacAddress), Is.EqualTo(("10.1.2.201", "02:42:0a:01:02:c9")));
    }

    private const string Seven = "CHOWN DAC_OVERRIDE FOWNER KILL NET_BIND_SERVICE SETGID SETUID";

    [TestCase(null, null, false, Seven, "")]
    [TestCase("0", null, false, Seven, "")]
    [TestCase("root:1000", null, false, Seven, "", Description = "what a name stands for, only the image knows")]
    [TestCase("1000", null, false, "", "", Description = "without new privileges it never comes to any")]
    [TestCase("1000:0", null, false, "", "")]
    [TestCase("1000", null, true, Seven, "", Description = "with new privileges, sudo may use them")]
    [TestCase(null, "", false, "", "")]
    [TestCase(null, "", true, "", "")]
    [TestCase(null, "NET_RAW", false, Seven + " NET_RAW", "NET_RAW")]
    [TestCase("1000", "NET_RAW", false, "NET_RAW", "NET_RAW")]
    [TestCase("1000", "NET_BIND_SERVICE", false, "NET_BIND_SERVICE", "NET_BIND_SERVICE")]
    public void ToParameters_Capabilities_AreTheOrdinaryOnesAndWhatIsAskedFor(
        string? user, string? asked, bool newPrivileges, string kept, string added)
    {
        var spec = Spec() with
        {
            User = user,
            Capabilities = asked is null ? null : [.. asked.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
            HasNewPrivileges = newPrivileges,
        };

        var host = ContainerConfinement.ToParameters(spec, Nothing).HostConfig!;

        Assert.That(string.Join(' ', Capabilities.All.Except(host.CapDrop!)), Is.EqualTo(string.Join(' ', kept.Split(' ').Order(StringComparer.Ordinal))));
        Assert.That(string.Join(' ', host.CapAdd!), Is.EqualTo(added));
        Assert.That(host.SecurityOpt!, newPrivileges ? Is.Empty : Is.EqualTo(new[] { "no-new-privileges" }));
        Assert.That(host.Privileged, Is.False);
    }

    [Test]
    public void ToParameters_Sysctls_GoBeforeOurs()
    {
        var host = ContainerConfinement.ToParameters(
            Spec() with { Sysctls = ImmutableSortedDictionary<string, string>.Empty.Add("net.ipv4.ip_forward", "1").Add("net.ipv4.ping_group_range", "1 0") },
            Nothing).HostConfig!;

        Assert.That(host.Sysctls!, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["net.ipv4.ip_forward"] = "1",
            ["net.ipv4.ping_group_range"] = "1 0",
            ["net.ipv4.ip_unprivileged_port_start"] = "0",
        }));
    }

    [Test]
    public void ToParameters_LabelsOfRightsAndAddress_AreAlwaysSaid()
    {
        var none = ContainerConfinement.ToParameters(Spec(), Nothing).Labels!;
        var all = ContainerConfinement.ToParameters(
            Spec() with { Rights = NetworkRights.All },
            Nothing with { Addresses = Surroundings.NoAddresses.Add("main", IPAddress.Parse("10.1.2.200")) }).Labels!;

        Assert.That((none[ContainerLabels.Rights], none[ContainerLabels.Address]), Is.EqualTo(("", "")), "an image's own labels must not come through");
        Assert.That((all[ContainerLabels.Rights], all[ContainerLabels.Address]), Is.EqualTo(("internet local_network dns", "10.1.2.200")));
        Assert.That(NetworkRights.Parse(all[ContainerLabels.Rights]), Is.EqualTo(NetworkRights.All));
        Assert.That(NetworkRights.Parse("internetx DNS"), Is.EqualTo(default(NetworkRights)));
    }

    [TestCase("/data", ExpectedResult = true)]
    [TestCase("/data/pg", ExpectedResult = true)]
    [TestCase("/database", ExpectedResult = false)]
    [TestCase("/", ExpectedResult = false)]
    [TestCase("/var/cache", ExpectedResult = true)]
    [TestCase("/var/cache/deep", ExpectedResult = false)]
    public bool Covers_PathsAtAndBelowMounts_AreTheSpecs(string path) => Surroundings.Covers(WithMounts(), path);

    [Test]
    public void MountsBelow_DeclaredPaths_AreTheNearestMountsOwnFolders()
    {
        var below = Surroundings.MountsBelow(WithMounts(), ["/data", "/data/pg", "/data/log/old", "/database", "/var/cache", "/other"]);

        Assert.That(below, Is.EqualTo(new[] { new BindMount("/data/pg", "/x/data/pg", false), new BindMount("/data/log/old", "/x/log/old", true) }));
    }

    private static ContainerSpec WithMounts() => Spec() with
    {
        Mounts = [new BindMount("/data/", "/x/data/", false), new BindMount("/data/log", "/x/log", true)],
        TemporaryFolders = ImmutableSortedDictionary<string, long>.Empty.Add("/var/cache", 1 << 20),
    };

    private static ContainerSpec Spec() => new(
        Instance, "web", ContainerSpec.MainService, ImageReference.Parse("web:1"), ImmutableSortedDictionary<string, string>.Empty, [], null, null);
}
