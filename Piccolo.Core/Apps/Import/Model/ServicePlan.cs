using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Core.Apps.Import.Model;

/// <summary>A service of the compose file on its way into the manifest. Texts may hold <see cref="References"/>.</summary>
/// <param name="name">As compose has it.</param>
/// <param name="label">As the manifest has it.</param>
internal sealed class ServicePlan(string name, string label, Field source)
{
    public string Name => name;
    public string Label => label;
    public Field Field => source;
    public string Image { get; set; } = "";
    public List<string>? Command { get; set; }
    public List<string>? Entrypoint { get; set; }
    public string? User { get; set; }
    public string? WorkingDirectory { get; set; }
    public string? Hostname { get; set; }
    public bool HasInit { get; set; }
    public bool IsRootReadOnly { get; set; }
    public bool IsOnce { get; set; }
    public bool MayRunOnce { get; set; }
    public string? StopSignal { get; set; }
    public TimeSpan? StopGrace { get; set; }
    public long? Memory { get; set; }
    public string? Cpus { get; set; }
    public long? SharedMemory { get; set; }
    public HealthPlan? Health { get; set; }

    /// <summary>Names under which others may know it; made unique when all services are read.</summary>
    public List<string> Aliases { get; } = [];
    public List<Variable> Environment { get; } = [];
    public List<MountPlan> Mounts { get; } = [];
    public List<(string Path, long Bytes)> TemporaryFolders { get; } = [];
    public List<DependencyPlan> Dependencies { get; } = [];
    public List<PortPlan> Ports { get; } = [];
    public List<int> Exposed { get; } = [];
    public List<string> Networks { get; } = [];
    public List<string> Capabilities { get; } = [];
    public List<(string Name, string Value)> Sysctls { get; } = [];
    public bool DropsAllCapabilities { get; set; }
    public bool HasNewPrivileges { get; set; }
    public bool HasNoNetwork { get; set; }
    public bool HasLan { get; set; }

    public Variable? Find(string variable) => Environment.Find(v => v.Name == variable);

    /// <summary>Sets a variable that the service does not have yet.</summary>
    public void SetDefault(string variable, string text)
    {
        if (Find(variable) is null) Environment.Add(new Variable(variable, Field.Path, Field.Line) { Text = text });
    }
}

/// <summary>A variable of a service. Later ones of the same name replace the text.</summary>
/// <param name="Path">Where it is written.</param>
internal sealed record Variable(string Name, string Path, int Line)
{
    public string Text { get; set; } = "";
}

internal sealed record MountPlan(string Path, string Volume, bool IsReadOnly);

internal sealed record DependencyPlan(string Service, string Condition, Field Field);

/// <summary>Where a service answers.</summary>
/// <param name="Container">The port inside the container.</param>
/// <param name="Published">The one on the host; null where the file leaves it open.</param>
/// <param name="IsLoopback">Whether only the host itself reaches it.</param>
internal sealed record PortPlan(int Container, int? Published, bool IsUdp, bool IsLoopback, Field Field);

internal sealed record HealthPlan
{
    public List<string>? Command { get; init; }
    public TimeSpan? Interval { get; init; }
    public TimeSpan? Timeout { get; init; }
    public int? Retries { get; init; }
    public TimeSpan? StartPeriod { get; init; }

    /// <summary>Whether the file wants no check at all.</summary>
    public bool IsNone { get; init; }
    public required Field Field { get; init; }
}
