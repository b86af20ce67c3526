using Piccolo.Core.Volumes.Mounting;

namespace Piccolo.Tests.Core.Volumes;

internal sealed class MountTableTests
{
    [Test]
    public void Parse_KernelsTable_GivesPointsWithoutEscapesAndWhoFollows()
    {
        const string Table = """
            26 1 254:0 / / rw,relatime - ext4 /dev/vda rw
            30 26 0:5 / /var/lib/a\040b\134c\303\244 rw,nosuid shared:7 - fuse.gocryptfs piccolo-volume rw
            31 26 0:6 / /srv rw shared:9 master:1 propagate_from:2 - tmpfs none rw
            """;

        var entries = MountTable.Parse(Table);

        Assert.That(entries, Is.EqualTo(new[]
        {
            new MountEntry("/", "ext4", IsShared: false, IsFollower: false),
            new MountEntry("/var/lib/a b\\cä", "fuse.gocryptfs", IsShared: true, IsFollower: false),
            new MountEntry("/srv", "tmpfs", IsShared: true, IsFollower: true),
        }));
    }

    [TestCase("")]
    [TestCase("nonsense")]
    [TestCase("1 2 3:4 / /x rw")]
    [TestCase("1 2 3:4 / /x rw -")]
    [TestCase("- - - - - - -")]
    public void Parse_WhatIsNoTable_GivesNothing(string table) => Assert.That(MountTable.Parse(table), Is.Empty);

    [Test]
    public void Read_ThisMachine_KnowsTheRoot() => Assert.That(MountTable.Read().Select(m => m.Point), Does.Contain("/"));

    /// <summary>A service of systemd with a view of its own follows the host's mounts and hands none back.</summary>
    [TestCase("mnt:[1]", "mnt:[1]", false, true, true)]
    [TestCase("mnt:[1]", "mnt:[2]", true, true, false)]
    [TestCase("mnt:[1]", "mnt:[2]", false, false, false)]
    [TestCase("mnt:[1]", "mnt:[2]", true, false, true)]
    [TestCase(null, "mnt:[2]", true, true, false)]
    [TestCase(null, "mnt:[2]", false, false, true)]
    public void SharesMounts_NameSpaces_SaysWhetherContainersWouldSeeAMount(string? first, string own, bool isShared, bool isFollower, bool shares) =>
        Assert.That(OwnMounter.SharesMounts(first, own, new MountEntry("/", "ext4", isShared, isFollower)), Is.EqualTo(shares));

    [TestCase("Name:\tx\nCapEff:\t000001fffeffffff\n", true)]
    [TestCase("CapEff:\t0000000000200000\n", true)]
    [TestCase("CapEff:\t0000000000000400\nCapBnd:\t000001ffffffffff\n", false)]
    [TestCase("CapEff:\tnone\n", false)]
    [TestCase("", false)]
    public void IsAdministrator_StatusOfAProcess_ReadsTheCapability(string status, bool isAdministrator) =>
        Assert.That(OwnMounter.IsAdministrator(status), Is.EqualTo(isAdministrator));
}
