namespace Piccolo.Core.Network;

/// <summary>
/// What the kernel says of links in a folder such as <c>/sys/class/net</c>. Names say nothing: <c>br-lan</c> is a router's LAN, <c>br-1a2b</c> a container
/// network.
/// </summary>
internal sealed class LinkFolder(string path)
{
    public static LinkFolder OfThisHost { get; } = new("/sys/class/net");

    /// <summary>
    /// Whether a link is a bridge whose members are all ends of veth pairs, as those are whose other end is in a container; one without members has nobody
    /// behind it. A bridge with a network card, a VLAN or a radio among its members leads to a real network.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public bool IsContainerBridge(string link)
    {
        var members = new DirectoryInfo(Path.Combine(path, link, "brif"));
        return members.Exists && members.EnumerateFileSystemInfos().All(m => IsVeth(m.Name));
    }

    /// <summary>One end of a pair: linked to another link, with neither a device below it nor a link that it is stacked on.</summary>
    private bool IsVeth(string link)
    {
        var folder = Path.Combine(path, link);
        return !Directory.Exists(Path.Combine(folder, "device"))
            && Number(folder, "iflink") != Number(folder, "ifindex")
            && !Directory.EnumerateFileSystemEntries(folder, "lower_*").Any();
    }

    private static string Number(string folder, string name) => File.ReadAllText(Path.Combine(folder, name)).Trim();
}
