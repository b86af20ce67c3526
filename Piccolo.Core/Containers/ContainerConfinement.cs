using System.Globalization;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers;

/// <summary>What an app's container may do, and how a spec becomes the engine's parameters.</summary>
internal static class ContainerConfinement
{
    private const long MaxProcesses = 512;

    /// <summary>
    /// What the usual images need from root inside the container, beyond nothing: their entry points start as root, give their data folders to the
    /// service's user (CHOWN, FOWNER, DAC_OVERRIDE), become that user (SETUID, SETGID), end their children (KILL) and listen below 1024
    /// (NET_BIND_SERVICE). Left out of the engine's own defaults: NET_RAW, MKNOD, AUDIT_WRITE, SETFCAP, SETPCAP, FSETID and SYS_CHROOT.
    /// </summary>
    private static readonly string[] Capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

    public static CreateContainerParameters ToParameters(ContainerSpec spec) => new()
    {
        Name = spec.Name,
        Image = spec.Image.ToString(),
        Env = [.. spec.Environment.Select(e => $"{e.Key}={e.Value}")],
        Labels = new Dictionary<string, string>(spec.Labels),
        ExposedPorts = spec.Ports.ToDictionary(p => Tcp(p.GuestPort), _ => default(EmptyStruct)),
        HostConfig = new HostConfig
        {
            PortBindings = spec.Ports.ToDictionary(p => Tcp(p.GuestPort), p => (IList<PortBinding>)[Loopback(p.GuardPort)]),
            CapDrop = ["ALL"],
            CapAdd = [.. Capabilities],
            SecurityOpt = ["no-new-privileges"],
            PidsLimit = MaxProcesses,
            Memory = spec.MemoryBytes ?? 0,
            NanoCPUs = spec.NanoCpus ?? 0,
            // The supervisor alone decides what runs: the engine must not revive an app that is locked or led elsewhere.
            RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
        },
    };

    private static string Tcp(int port) => port.ToString(CultureInfo.InvariantCulture) + "/tcp";

    private static PortBinding Loopback(int port) => new() { HostIP = "127.0.0.1", HostPort = port.ToString(CultureInfo.InvariantCulture) };
}
