using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Piccolo.Core.Network;
using Piccolo.Rig.Net;

namespace Piccolo.Rig.Podman;

/// <summary>
/// The files of one private Podman: images, containers, locks, networks and configuration all below one folder, so that nothing of the owner's Podman is
/// read or changed.
/// </summary>
internal sealed class PodmanFolder
{
    // Podman refuses a run folder of more than 50 characters, and a socket's path has 107 at most.
    private const string Parent = "/tmp";
    private const string Prefix = "piccolo-podman-";

    private PodmanFolder(string path) => Root = path;

    public string Root { get; }
    public string Socket => Path.Combine(Root, "podman.sock");

    /// <summary>The arguments that keep every command inside the folder.</summary>
    public string[] Arguments => ["--root", Path.Combine(Root, "root"), "--runroot", Path.Combine(Root, "run"), "--tmpdir", Path.Combine(Root, "tmp")];

    public IReadOnlyDictionary<string, string> Environment => File.Exists(RegistriesFile)
        ? new Dictionary<string, string> { ["CONTAINERS_CONF"] = ConfigurationFile, ["CONTAINERS_REGISTRIES_CONF"] = RegistriesFile }
        : new Dictionary<string, string> { ["CONTAINERS_CONF"] = ConfigurationFile };

    /// <summary>The network namespace in which the engine lives; null = this machine's own.</summary>
    public string? Network => File.Exists(NetworkFile) && File.ReadAllText(NetworkFile) is { Length: > 0 } name && File.Exists(NetworkNamespace.PathOf(name))
        ? name : null;

    /// <summary>A podman command in the folder's world.</summary>
    public ProcessStartInfo Command(IEnumerable<string> arguments) => Network is { } network
        ? Tool.Prepare("nsenter", [$"--net={NetworkNamespace.PathOf(network)}", Tool.Find("podman") ?? "podman", .. Arguments, .. arguments], Environment)
        : Tool.Prepare("podman", [.. Arguments, .. arguments], Environment);

    /// <param name="network">A network namespace in which the engine is to live.</param>
    public static PodmanFolder Create(string? network = null, string? plainRegistry = null)
    {
        var folder = new PodmanFolder(Path.Combine(Parent, Prefix + Guid.NewGuid().ToString("N")[..8]));
        Directory.CreateDirectory(folder.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(folder.Root, "networks"));
        File.WriteAllText(folder.OwnerFile, System.Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(folder.NetworkFile, network ?? "");
        folder.WriteNetwork();
        folder.WriteConfiguration();
        if (plainRegistry is not null) File.WriteAllText(folder.RegistriesFile, $"[[registry]]\nlocation = \"{plainRegistry}\"\ninsecure = true\n");
        return folder;
    }

    /// <summary>Folders whose process was killed before it could clean up.</summary>
    public static IEnumerable<PodmanFolder> Abandoned() =>
        Directory.EnumerateDirectories(Parent, Prefix + "*").Select(path => new PodmanFolder(path)).Where(folder => folder.IsAbandoned);

    /// <summary>Remembers the service's process, so that whoever sweeps the folder can end it.</summary>
    public void Remember(Process service) => File.WriteAllText(ServiceFile, service.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>Ends the service that a killed owner left running; a process that merely got its number is left alone.</summary>
    public void EndLeftService()
    {
        if (!File.Exists(ServiceFile) || !int.TryParse(File.ReadAllText(ServiceFile), out var id)) return;
        var commandLine = $"/proc/{id}/cmdline";
        if (!File.Exists(commandLine) || !File.ReadAllText(commandLine).Contains(Root, StringComparison.Ordinal)) return;
        using var service = Process.GetProcessById(id);
        service.Kill();
    }

    /// <summary>Ends the mounts that engines leave below the folder, then deletes it.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        var mounts = File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4])
            .Where(place => place.StartsWith(Root + "/", StringComparison.Ordinal));
        foreach (var place in mounts.OrderDescending(StringComparer.Ordinal).ToList())
            await Tool.RunAsync(Tool.Prepare("umount", ["-l", place]), cancellationToken);
        if (Directory.Exists(Root)) Directory.Delete(Root, recursive: true);
    }

    private string ConfigurationFile => Path.Combine(Root, "containers.conf");

    private string RegistriesFile => Path.Combine(Root, "registries.conf");

    private string ServiceFile => Path.Combine(Root, "service");

    private string NetworkFile => Path.Combine(Root, "network");

    internal string OwnerFile => Path.Combine(Root, "owner");

    private bool IsAbandoned => File.Exists(OwnerFile) && int.TryParse(File.ReadAllText(OwnerFile), out var owner) && !Directory.Exists($"/proc/{owner}");

    private void WriteConfiguration()
    {
        var runtime = Tool.Find("runc") is null ? "" : "runtime = \"runc\"";
        File.WriteAllText(ConfigurationFile, $"""
            [engine]
            {runtime}
            cgroup_manager = "cgroupfs"
            events_logger = "file"
            lock_type = "file"
            tmp_dir = "{Root}/tmp"
            volume_path = "{Root}/volumes"

            [network]
            network_backend = "netavark"
            network_config_dir = "{Root}/networks"
            default_network = "{NetworkName}"

            # For the same reason as the default network has a subnet of its own.
            [[network.default_subnet_pools]]
            base = "{FreePool()}"
            size = 24

            [containers]
            # The engine's own defaults are refused where the caller's hard limits are lower.
            default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]

            """);
    }

    private string NetworkName => "pic" + Root[^8..];

    /// <summary>A bridge and subnet of our own: two Podmans that hand out addresses of one subnet would give the same one twice.</summary>
    private void WriteNetwork()
    {
        var subnet = FreeSubnet();
        File.WriteAllText(Path.Combine(Root, "networks", NetworkName + ".json"), JsonSerializer.Serialize(new
        {
            name = NetworkName,
            id = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(Root))),
            driver = "bridge",
            network_interface = NetworkName,
            created = TimeProvider.System.GetUtcNow(),
            subnets = new[] { new { subnet = subnet + ".0/24", gateway = subnet + ".1" } },
            ipv6_enabled = false,
            @internal = false,
            dns_enabled = false,
            ipam_options = new { driver = "host-local" },
        }));
    }

#pragma warning disable CA5394 // a free place, not a secret
    private static string FreePool() => $"10.{Random.Shared.Next(100, 200)}.{Random.Shared.Next(16) * 16}.0/20";
#pragma warning restore CA5394

    private static string FreeSubnet()
    {
        if (!HostInterfaces.TryRead(out var interfaces, out var reason))
            throw new InvalidOperationException($"This host's interfaces cannot be read: {reason}");
        var used = interfaces.SelectMany(i => i.Addresses)
            .Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork).Select(a => a.Address.ToString()).ToList();
#pragma warning disable CA5394 // a free place, not a secret
        return Enumerable.Range(0, 100).Select(_ => $"10.{Random.Shared.Next(200, 250)}.{Random.Shared.Next(256)}")
#pragma warning restore CA5394
            .First(subnet => !used.Any(address => address.StartsWith(subnet + ".", StringComparison.Ordinal)));
    }
}
