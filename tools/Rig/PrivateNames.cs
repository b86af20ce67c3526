namespace Piccolo.Rig;

/// <summary>
/// A host table that one process has for itself, in a mount namespace of its own: names can come and go without anybody else noticing. Its DNS server is one
/// that does not answer. Needs root.
/// </summary>
public sealed class PrivateNames
{
    private readonly string _hosts;
    private readonly string _resolver;

    public PrivateNames(string folder)
    {
        (_hosts, _resolver) = (Path.Combine(folder, "hosts"), Path.Combine(folder, "resolv.conf"));
        File.WriteAllText(_resolver, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
        Set();
    }

    /// <summary>These names are this machine; others, but localhost, are unknown from now on.</summary>
    // Written in place: the mount shows this very file.
    public void Set(params string[] names) => File.WriteAllText(_hosts, $"127.0.0.1 localhost {string.Join(' ', names)}\n");

    /// <returns>The program with its arguments, as it is to be started instead.</returns>
    public (string Program, IReadOnlyList<string> Arguments) Wrap(string program, params string[] arguments) =>
        ("unshare", ["--mount", "--propagation", "slave", "sh", "-c",
            $"mount --bind '{_hosts}' /etc/hosts && mount --bind '{_resolver}' /etc/resolv.conf && exec \"$0\" \"$@\"", program, .. arguments]);
}
