using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Piccolo.Core.Containers;

/// <summary>A port of the container and the port of 127.0.0.1 at which it is published.</summary>
public sealed record PortPublication(int GuestPort, int GuardPort);

/// <summary>Everything that decides how an app's container is made. Two specs with the same <see cref="Hash"/> make the same container.</summary>
/// <param name="Instance">Whose container it is: this installation's id.</param>
/// <param name="MemoryBytes">Null = no limit.</param>
/// <param name="NanoCpus">Billionths of a processor; null = no limit.</param>
public sealed record ContainerSpec(
    InstanceId Instance,
    string App,
    ImageReference Image,
    ImmutableSortedDictionary<string, string> Environment,
    ImmutableArray<PortPublication> Ports,
    long? MemoryBytes,
    long? NanoCpus)
{
    /// <summary>Raised by one whenever <see cref="ContainerConfinement"/> changes, so that containers made under the old rules are recreated.</summary>
    private const int ConfinementVersion = 2;

    /// <summary>Which of the images that had the name is meant; null = whichever is here.</summary>
    public string? ImageId { get; init; }

    public string Name => NameOf(Instance, App);

    /// <summary>SHA-256 over every member, in hexadecimal.</summary>
    public string Hash
    {
        get
        {
            var members = new
            {
                ConfinementVersion,
                App,
                Image = Image.ToString(),
                ImageId,
                Environment = Environment.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => new[] { e.Key, e.Value }),
                Ports = Ports.OrderBy(p => p.GuestPort).Select(p => new[] { p.GuestPort, p.GuardPort }),
                MemoryBytes,
                NanoCpus,
            };
            return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(members)));
        }
    }

    public ImmutableDictionary<string, string> Labels => ImmutableDictionary<string, string>.Empty
        .Add(ContainerLabels.Instance, Instance.Value).Add(ContainerLabels.App, App).Add(ContainerLabels.Spec, Hash);

    public static string NameOf(InstanceId instance, string app) => $"piccolo-{instance.Prefix}-{app}";

    /// <summary>The app's volume for a path of the container. The same whenever a container is made for the app.</summary>
    public static string VolumeNameOf(InstanceId instance, string app, string path) =>
        $"{NameOf(instance, app)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..12]}";

    /// <summary>The environment is left out: it may hold secrets, and specs end up in logs.</summary>
    public override string ToString() => $"{Name} image={Image}";
}

/// <summary>The labels by which our containers and volumes are told from everybody else's.</summary>
public static class ContainerLabels
{
    public const string Instance = "io.piccolo.instance";
    public const string App = "io.piccolo.app";
    public const string Spec = "io.piccolo.spec";

    /// <summary>Of a volume: where it belongs in the app's container.</summary>
    public const string Path = "io.piccolo.path";
}
