using System.Globalization;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers;

/// <summary>What an app's container may do, and how a spec becomes the engine's parameters.</summary>
internal static class ContainerConfinement
{
    private const long MaxProcesses = 512;

    /// <summary>Of what an app prints; what is older is dropped. Podman's own default has no end.</summary>
    private const string MaxLog = "10m";

    /// <summary>
    /// Every capability of the kernel (capability.h, up to 6.x) but seven, dropped by name. The seven are what the usual images need from root inside
    /// the container: their entry points start as root, give their data folders to the service's user (CHOWN, FOWNER, DAC_OVERRIDE), become that user
    /// (SETUID, SETGID), end their children (KILL), and some binaries carry NET_BIND_SERVICE as a file capability and would not start without it.
    /// Not "drop ALL, add seven": Podman hands added capabilities to images that run as an ordinary user too, which need none.
    /// </summary>
    private static readonly string[] Dropped =
    [
        "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "FSETID", "IPC_LOCK", "IPC_OWNER",
        "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETPCAP",
        "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME",
        "SYS_TTY_CONFIG", "WAKE_ALARM",
    ];

    /// <param name="volumes">The names of volumes by their paths inside the container.</param>
    public static CreateContainerParameters ToParameters(ContainerSpec spec, IEnumerable<KeyValuePair<string, string>> volumes) => new()
    {
        Name = spec.Name,
        Image = spec.Image.ToString(),
        Env = [.. spec.Environment.Select(e => $"{e.Key}={e.Value}")],
        Labels = new Dictionary<string, string>(spec.Labels),
        ExposedPorts = spec.Ports.ToDictionary(p => Tcp(p.GuestPort), _ => default(EmptyStruct)),
        HostConfig = new HostConfig
        {
            Binds = [.. volumes.Select(v => $"{v.Value}:{v.Key}")],
            PortBindings = spec.Ports.ToDictionary(p => Tcp(p.GuestPort), p => (IList<PortBinding>)[Loopback(p.GuardPort)]),
            CapDrop = [.. Dropped],
            // An image that runs as an ordinary user may listen at port 80 of its own network.
            Sysctls = new Dictionary<string, string> { ["net.ipv4.ip_unprivileged_port_start"] = "0" },
            SecurityOpt = ["no-new-privileges"],
            PidsLimit = MaxProcesses,
            LogConfig = new LogConfig { Type = "k8s-file", Config = new Dictionary<string, string> { ["max-size"] = MaxLog } },
            // One for each app, so that an app that was taken over does not reach the others' databases.
            NetworkMode = spec.Name,
            Memory = spec.MemoryBytes ?? 0,
            NanoCPUs = spec.NanoCpus ?? 0,
            // The supervisor alone decides what runs: the engine must not revive an app that is locked or led elsewhere.
            RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
        },
    };

    private static string Tcp(int port) => port.ToString(CultureInfo.InvariantCulture) + "/tcp";

    private static PortBinding Loopback(int port) => new() { HostIP = "127.0.0.1", HostPort = port.ToString(CultureInfo.InvariantCulture) };
}
