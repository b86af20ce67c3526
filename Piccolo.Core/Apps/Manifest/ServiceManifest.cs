using System.Collections.Immutable;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>When a service that another one depends on is far enough for that one to start.</summary>
public enum DependencyCondition
{
    /// <summary>Its container runs.</summary>
    Started,

    /// <summary>Its health check succeeded.</summary>
    Healthy,

    /// <summary>It exited with code 0.</summary>
    Completed,
}

/// <summary>How often a service runs.</summary>
public enum RunMode
{
    Always,

    /// <summary>To its end, for each revision of the manifest: a migration.</summary>
    Once,
}

/// <summary>One container of an app, as the manifest declares it. Immutable; round-trips through JSON.</summary>
/// <param name="Name">A DNS label, unique in the app: the other services reach it under this name.</param>
/// <param name="Image">In the form of <see cref="Containers.ImageReference"/>.</param>
public sealed record ServiceManifest(string Name, string Image)
{
    /// <summary>Values may hold <c>${...}</c> of <c>ManifestValues</c>.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Replaces the image's command; default = the image's own. Values may hold <c>${...}</c>.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>Replaces the image's entry point; default = the image's own.</summary>
    public ImmutableArray<string> Entrypoint { get; init; } = [];

    /// <summary>Null = the image's own.</summary>
    public string? User { get; init; }

    /// <summary>Null = the image's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Null = the service's name.</summary>
    public string? Hostname { get; init; }

    /// <summary>Whether a small init process reaps children and forwards signals.</summary>
    public bool HasInit { get; init; }

    /// <summary>More names under which the other services reach it.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    public ImmutableArray<MountDefinition> Mounts { get; init; } = [];

    public ImmutableSortedDictionary<string, DependencyCondition> DependsOn { get; init; } =
        ImmutableSortedDictionary.Create<string, DependencyCondition>(StringComparer.Ordinal);

    public RunMode Run { get; init; }

    /// <summary>Null = the image's own check; where it has none, a TCP connection to the service's first listener.</summary>
    public HealthCheckDefinition? HealthCheck { get; init; }

    /// <summary>A name such as SIGINT; null = the image's own.</summary>
    public string? StopSignal { get; init; }

    /// <summary>How long it may take to stop before it is killed; null = as <c>StopGraces</c> decides.</summary>
    public TimeSpan? StopGrace { get; init; }

    /// <summary>Null = no limit.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Billionths of a processor; null = no limit.</summary>
    public long? NanoCpus { get; init; }

    /// <summary>Size of /dev/shm; null = the engine's 64 MB.</summary>
    public long? SharedMemoryBytes { get; init; }

    /// <summary>Writable folders in memory: path and size in bytes.</summary>
    public ImmutableSortedDictionary<string, long> TemporaryFolders { get; init; } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>Whether the container's own file system is read-only; /tmp and /run are in memory then.</summary>
    public bool IsRootReadOnly { get; init; }

    /// <summary>What it may reach outside of the app's network.</summary>
    public NetworkRights Network { get; init; }

    /// <summary>Beside those that every container has; empty = none at all; null = those.</summary>
    public ImmutableArray<string>? Capabilities { get; init; }

    /// <summary>Whether a program with a set-user bit or file capabilities may get more than whoever runs it has.</summary>
    public bool HasNewPrivileges { get; init; }

    /// <summary>Of its own network: names below <c>net.</c> and their values.</summary>
    public ImmutableSortedDictionary<string, string> Sysctls { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The environment is left out: it may hold secrets.</summary>
    public override string ToString() => $"{Name} image={Image}";
}

/// <param name="Path">Where in the container: absolute, without '..'.</param>
/// <param name="Volume">The name of one of the app's volumes.</param>
public sealed record MountDefinition(string Path, string Volume)
{
    public bool IsReadOnly { get; init; }
}

/// <summary>How a service is asked whether it works. Exactly one of the first three is set; none = what the image declares.</summary>
public sealed record HealthCheckDefinition
{
    public HttpCheck? Http { get; init; }

    public int? TcpPort { get; init; }

    /// <summary>Run in the container; exit code 0 is healthy.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Failures in a row that make it unhealthy.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>After a start, failures do not count for so long.</summary>
    public TimeSpan StartPeriod { get; init; } = TimeSpan.FromMinutes(2);
}

/// <param name="Path">Answered with a status below 400.</param>
public sealed record HttpCheck(string Path, int Port);
