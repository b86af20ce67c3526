using System.Globalization;
using Piccolo.Core.Network;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Network;

internal sealed class LinkFolderTests
{
    [TestCase("a network card alone", false, "card")]
    [TestCase("a container's end of a pair", true, "veth")]
    [TestCase("several", true, "veth", "veth")]
    [TestCase("a card among them", false, "veth", "card")]
    [TestCase("a VLAN", false, "vlan")]
    [TestCase("a virtual machine's", false, "tap")]
    [TestCase("nobody", true)]
    public void IsContainerBridge_ByItsMembers(string what, bool expected, params string[] members)
    {
        using var folder = new TempFolder();
        var bridge = Directory.CreateDirectory(folder.File("br-lan/brif")).FullName;
        for (var i = 0; i < members.Length; i++)
        {
            Link(folder, $"m{i}", members[i], index: 10 + i);
            Directory.CreateDirectory(Path.Combine(bridge, $"m{i}"));
        }

        Assert.That(new LinkFolder(folder.Path).IsContainerBridge("br-lan"), Is.EqualTo(expected), what);
    }

    [TestCase("docker0")]
    [TestCase("podman0")]
    public void IsContainerBridge_OfNoBridge_IsNotWhateverItsName(string name)
    {
        using var folder = new TempFolder();
        Link(folder, name, "veth", index: 3);

        Assert.That(new LinkFolder(folder.Path).IsContainerBridge(name), Is.False);
        Assert.That(new LinkFolder(folder.Path).IsContainerBridge("gone"), Is.False);
    }

    private static void Link(TempFolder folder, string name, string kind, int index)
    {
        var path = Directory.CreateDirectory(folder.File(name)).FullName;
        var linked = kind is "veth" or "vlan" ? index + 100 : index;
        File.WriteAllText(Path.Combine(path, "ifindex"), string.Create(CultureInfo.InvariantCulture, $"{index}\n"));
        File.WriteAllText(Path.Combine(path, "iflink"), string.Create(CultureInfo.InvariantCulture, $"{linked}\n"));
        if (kind == "card") Directory.CreateDirectory(Path.Combine(path, "device"));
        if (kind == "vlan") Directory.CreateDirectory(Path.Combine(path, "lower_eth0"));
    }
}
