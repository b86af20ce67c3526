using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Piccolo.Core.Containers;

/// <summary>A port of the container and the port of 127.0.0.1 at which it is published.</summary>
public sealed record PortPublication(int GuestPort, int GuardPort);

/// <summary>A folder of this device that a container sees at a path of its own.</summary>
/// <param name="Path">In the container.</param>
/// <param name="Source">On this device.</param>
public sealed record BindMount(string Path, string Source, bool IsReadOnly);

/// <summary>Everything that decides how a container is made. Two specs with the same <see cref="Hash"/> make the same container.</summary>
/// <param name="Instance">Whose container it is: this installation's id.</param>
/// <param name="Service">The service of the app: its name on the app's network.</param>
/// <param name="MemoryBytes">Null = no limit.</param>
/// <param name="NanoCpus">Billionths of a processor; null = no limit.</param>
public sealed record ContainerSpec(
    InstanceId Instance,
    string App,
    string Service,
    ImageReference Image,
    ImmutableSortedDictionary<string, string> Environment,
    ImmutableArray<PortPublication> Ports,
    long? MemoryBytes,
    long? NanoCpus)
{
    /// <summary>The service whose container has the app's own name.</summary>
    public const string MainService = "main";

    /// <summary>Raised by one whenever <see cref="Podman.ContainerConfinement"/> changes, so that containers made under the old rules are recreated.</summary>
    private const int ConfinementVersion = 5;

    /// <summary>Which of the images that had the name is meant; null = whichever is here.</summary>
    public string? ImageId { get; init; }

    /// <summary>Empty = the image's own.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>Empty = the image's own.</summary>
    public ImmutableArray<string> Entrypoint { get; init; } = [];

    /// <summary>Null = the image's own.</summary>
    public string? User { get; init; }

    /// <summary>Null = the image's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Null = the service's name.</summary>
    public string? Hostname { get; init; }

    public bool HasInit { get; init; }

    /// <summary>More names on the app's network.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary>
    /// The app's other services by their names, with their aliases: whom the container can reach by name (ADR 0026). Empty = there is no other.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Peers { get; init; } =
        ImmutableSortedDictionary.Create<string, ImmutableArray<string>>(StringComparer.Ordinal);

    public ImmutableArray<BindMount> Mounts { get; init; } = [];

    /// <summary>Null = the image's own.</summary>
    public string? StopSignal { get; init; }

    /// <summary>Null = the engine's default.</summary>
    public long? SharedMemoryBytes { get; init; }

    public ImmutableSortedDictionary<string, long> TemporaryFolders { get; init; } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    public bool IsRootReadOnly { get; init; }

    /// <summary>What it may reach outside of its app's network.</summary>
    public NetworkRights Rights { get; init; }

    /// <summary>Beside those that every container has (<see cref="Containers.Capabilities"/>); empty = none at all; null = those.</summary>
    public ImmutableArray<string>? Capabilities { get; init; }

    /// <summary>Whether a program with a set-user bit or file capabilities may get more than whoever runs it has.</summary>
    public bool HasNewPrivileges { get; init; }

    /// <summary>Of the container's own network: names below <c>net.</c> and their values.</summary>
    public ImmutableSortedDictionary<string, string> Sysctls { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Changes with each revision of the manifest where the container is to run once for each; empty otherwise.</summary>
    public string Revision { get; init; } = "";

    public string Name => NameOf(Instance, App, Service);

    /// <summary>SHA-256 over every member, in hexadecimal.</summary>
    public string Hash
    {
        get
        {
            var members = new
            {
                ConfinementVersion,
                App,
                Service,
                Image = Image.ToString(),
                ImageId,
                Environment = Environment.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => new[] { e.Key, e.Value }),
                Ports = Ports.OrderBy(p => p.GuestPort).Select(p => new[] { p.GuestPort, p.GuardPort }),
                MemoryBytes,
                NanoCpus,
                Command,
                Entrypoint,
                User,
                WorkingDirectory,
                Hostname,
                HasInit,
                Aliases,
                Peers = Peers.Select(p => new object[] { p.Key, p.Value }),
                Mounts = Mounts.OrderBy(m => m.Path, StringComparer.Ordinal),
                StopSignal,
                SharedMemoryBytes,
                TemporaryFolders = TemporaryFolders.Select(t => new object[] { t.Key, t.Value }),
                IsRootReadOnly,
                Rights = Rights.ToString(),
                Capabilities,
                HasNewPrivileges,
                Sysctls = Sysctls.Select(e => new[] { e.Key, e.Value }),
                Revision,
            };
            return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(members)));
        }
    }

    /// <summary>All of them, also those that say nothing: an image may have labels of the same names.</summary>
    public ImmutableDictionary<string, string> Labels => ImmutableDictionary<string, string>.Empty
        .Add(ContainerLabels.Instance, Instance.Value).Add(ContainerLabels.App, App).Add(ContainerLabels.Service, Service).Add(ContainerLabels.Spec, Hash)
        .Add(ContainerLabels.Rights, Rights.ToString()).Add(ContainerLabels.Address, "");

    /// <summary>Of the app's network, and the beginning of its containers' names.</summary>
    public static string NameOf(InstanceId instance, string app) => $"piccolo-{instance.Prefix}-{app}";

    /// <summary>No app's name has a dot: the names of two apps' containers never meet.</summary>
    public static string NameOf(InstanceId instance, string app, string service) =>
        service == MainService ? NameOf(instance, app) : $"{NameOf(instance, app)}.{service}";

    /// <summary>The service's volume for a path of its container. The same whenever a container is made for it.</summary>
    public static string VolumeNameOf(InstanceId instance, string app, string service, string path) =>
        $"{NameOf(instance, app, service)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..12]}";

    /// <summary>The environment is left out: it may hold secrets, and specs end up in logs.</summary>
    public override string ToString() => $"{Name} image={Image}";
}

/// <summary>The labels by which our containers and volumes are told from everybody else's.</summary>
public static class ContainerLabels
{
    public const string Instance = "io.piccolo.instance";
    public const string App = "io.piccolo.app";

    /// <summary>Of a container and a volume: which service of its app. Those of releases that knew no services lack it: they are the main one's.</summary>
    public const string Service = "io.piccolo.service";

    public const string Spec = "io.piccolo.spec";

    /// <summary>Of a container: what it may reach outside, as <see cref="NetworkRights"/> writes it.</summary>
    public const string Rights = "io.piccolo.network";

    /// <summary>Of a container: the address that it was made with.</summary>
    public const string Address = "io.piccolo.address";

    /// <summary>Of a volume: where it belongs in the app's container.</summary>
    public const string Path = "io.piccolo.path";
}
