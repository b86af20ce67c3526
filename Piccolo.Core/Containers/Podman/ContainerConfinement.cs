using System.Collections.Immutable;
using System.Globalization;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers.Podman;

/// <summary>What an app's container may do, and how a spec becomes the engine's parameters.</summary>
internal static class ContainerConfinement
{
    private const long MaxProcesses = 512;

    /// <summary>Of what an app prints; what is older is dropped. Podman's own default has no end.</summary>
    private const string MaxLog = "10m";

    /// <summary>What a container with a read-only root has in memory all the same, in bytes.</summary>
    private static readonly ImmutableSortedDictionary<string, long> Scratch =
        ImmutableSortedDictionary<string, long>.Empty.Add("/tmp", 256L << 20).Add("/run", 64L << 20);

    /// <summary>
    /// An image that runs as an ordinary user may listen at port 80 of its own network, and ping. A manifest may say otherwise.
    /// </summary>
    private static readonly ImmutableSortedDictionary<string, string> Sysctls = ImmutableSortedDictionary<string, string>.Empty
        .Add("net.ipv4.ip_unprivileged_port_start", "0").Add("net.ipv4.ping_group_range", "0 65535");

    public static CreateContainerParameters ToParameters(ContainerSpec spec, Surroundings surroundings) => new()
    {
        Name = spec.Name,
        Image = spec.Image.ToString(),
        // Null leaves it to the image; the library does not say so of its members.
        Cmd = OrNull(spec.Command)!,
        Entrypoint = OrNull(spec.Entrypoint)!,
        User = spec.User!,
        WorkingDir = spec.WorkingDirectory!,
        Hostname = spec.Hostname ?? spec.Service,
        StopSignal = spec.StopSignal!,
        Env = [.. spec.Environment.Select(e => $"{e.Key}={e.Value}")],
        Labels = new Dictionary<string, string>(spec.Labels)
        {
            [ContainerLabels.Address] = surroundings.Addresses.TryGetValue(spec.Service, out var own) ? own.ToString() : "",
        },
        ExposedPorts = spec.Ports.ToDictionary(p => Tcp(p.GuestPort), _ => default(EmptyStruct)),
        NetworkingConfig = Place(spec, surroundings)!,
        HostConfig = new HostConfig
        {
            Binds = [.. surroundings.Volumes.Select(v => $"{v.Value}:{v.Key}"), .. surroundings.Mounts.Select(Bind)],
            Tmpfs = InMemory(spec, surroundings),
            ReadonlyRootfs = spec.IsRootReadOnly,
            ShmSize = spec.SharedMemoryBytes ?? 0,
            Init = spec.HasInit ? true : null,
            PortBindings = spec.Ports.ToDictionary(p => Tcp(p.GuestPort), p => (IList<PortBinding>)[Loopback(p.GuardPort)]),
            // Dropped by name, not "drop all, add some": the engine hands added ones to processes of ordinary users too, so that only what the manifest
            // names is added.
            CapDrop = [.. Capabilities.All.Except(Capabilities.Of(spec))],
            CapAdd = [.. spec.Capabilities ?? []],
            Sysctls = new Dictionary<string, string>(Sysctls.SetItems(spec.Sysctls)),
            SecurityOpt = spec.HasNewPrivileges ? [] : ["no-new-privileges"],
            PidsLimit = MaxProcesses,
            LogConfig = new LogConfig { Type = "k8s-file", Config = new Dictionary<string, string> { ["max-size"] = MaxLog } },
            // One for each app, so that an app that was taken over does not reach the others' databases.
            NetworkMode = ContainerSpec.NameOf(spec.Instance, spec.App),
            ExtraHosts = [.. ServiceAddresses.Names(spec, surroundings.Addresses).Select(n => $"{n.Name}:{n.Address}")],
            Memory = spec.MemoryBytes ?? 0,
            NanoCPUs = spec.NanoCpus ?? 0,
            // The supervisor alone decides what runs: the engine must not revive an app that is locked or led elsewhere.
            RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
        },
    };

    private static IList<string>? OrNull(ImmutableArray<string> words) => words.IsDefaultOrEmpty ? null : [.. words];

    /// <summary>Nothing in a folder of an app's may stand for a device or make somebody root.</summary>
    private static string Bind(BindMount mount) => $"{mount.Source}:{mount.Path}:{(mount.IsReadOnly ? "ro" : "rw")},nosuid,nodev";

    private static NetworkingConfig? Place(ContainerSpec spec, Surroundings surroundings) =>
        !surroundings.Addresses.TryGetValue(spec.Service, out var address) ? null : new NetworkingConfig
        {
            EndpointsConfig = new Dictionary<string, EndpointSettings>
            {
                [ContainerSpec.NameOf(spec.Instance, spec.App)] = new()
                {
                    IPAMConfig = new EndpointIPAMConfig { IPv4Address = address.ToString() },
                    // The other services remember which of these the address has, for up to a minute after the container was made anew.
                    MacAddress = $"02:42:{string.Join(':', address.GetAddressBytes().Select(b => b.ToString("x2", CultureInfo.InvariantCulture)))}",
                },
            },
        };

    /// <summary>The folders in memory, and those two that nearly every program writes to, where the rest of the file system cannot be written.</summary>
    private static Dictionary<string, string> InMemory(ContainerSpec spec, Surroundings surroundings)
    {
        var folders = spec.TemporaryFolders.ToDictionary(f => Surroundings.Normal(f.Key), f => Memory(Surroundings.Normal(f.Key), f.Value));
        if (!spec.IsRootReadOnly) return folders;
        foreach (var (path, bytes) in Scratch)
            if (!surroundings.Volumes.ContainsKey(path) && surroundings.Mounts.All(m => Surroundings.Normal(m.Path) != path))
                folders.TryAdd(path, Memory(path, bytes));
        return folders;
    }

    /// <summary>Programs are unpacked into the two of <see cref="Scratch"/> and run from there (s6 into /run, libraries of Java into /tmp).</summary>
    private static string Memory(string path, long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"rw,nosuid,nodev,{(Scratch.ContainsKey(path) ? "exec" : "noexec")},size={bytes},mode=1777");

    private static string Tcp(int port) => port.ToString(CultureInfo.InvariantCulture) + "/tcp";

    private static PortBinding Loopback(int port) => new() { HostIP = "127.0.0.1", HostPort = port.ToString(CultureInfo.InvariantCulture) };
}
