namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>A manifest as it was written: shapes are right, rules not yet checked. Null = not given.</summary>
internal sealed class ManifestDraft
{
    public int? Schema { get; set; }
    public string? Name { get; set; }
    public string? Type { get; set; }
    public List<KeyValuePair<string, ServiceDraft>>? Services { get; set; }
    public List<ListenerDraft>? Listeners { get; set; }
    public List<KeyValuePair<string, VolumeDraft>> Volumes { get; set; } = [];
    public List<KeyValuePair<string, SecretDraft>> Secrets { get; set; } = [];

    /// <summary>The fields of a service that stand at the top: those of the only service, where there are no <see cref="Services"/>.</summary>
    public ServiceDraft Top { get; } = new();

    /// <summary>The names at the top that have a value.</summary>
    public HashSet<string> Given { get; } = new(StringComparer.Ordinal);

    /// <summary>The services and where each is written.</summary>
    public IEnumerable<ServiceEntry> Entries =>
        Services is not null ? Services.Select(s => new ServiceEntry(s.Key, FieldPath.Join("services", s.Key), s.Value))
        : Given.Contains("services") ? []
        : [new ServiceEntry(AppManifest.MainService, "", Top)];
}

/// <param name="Path">Empty where its fields stand at the top.</param>
internal sealed record ServiceEntry(string Name, string Path, ServiceDraft Draft)
{
    public string PathOf(string field) => Path.Length == 0 ? field : $"{Path}.{field}";
}

/// <summary>A service as it was written.</summary>
internal sealed class ServiceDraft
{
    public string? Image { get; set; }
    public List<string>? Command { get; set; }
    public List<string>? Entrypoint { get; set; }
    public string? User { get; set; }
    public string? WorkingDirectory { get; set; }
    public string? Hostname { get; set; }
    public bool? HasInit { get; set; }
    public List<string> Aliases { get; set; } = [];
    public List<KeyValuePair<string, string>> Environment { get; set; } = [];
    public List<KeyValuePair<string, MountDraft>> Mounts { get; set; } = [];
    public List<KeyValuePair<string, string>> DependsOn { get; set; } = [];
    public string? Run { get; set; }
    public HealthCheckDraft? HealthCheck { get; set; }
    public string? StopSignal { get; set; }
    public string? StopGrace { get; set; }
    public string? Memory { get; set; }
    public string? Cpu { get; set; }
    public string? SharedMemory { get; set; }
    public List<KeyValuePair<string, string>> TemporaryFolders { get; set; } = [];
    public bool? IsRootReadOnly { get; set; }
    public string? Internet { get; set; }
    public string? LocalNetwork { get; set; }
    public string? Dns { get; set; }
    public List<string>? Capabilities { get; set; }
    public string? NewPrivileges { get; set; }
    public List<KeyValuePair<string, string>>? Sysctls { get; set; }
}

/// <summary>A mount as it was written.</summary>
internal sealed class MountDraft
{
    public string? Volume { get; set; }
    public bool? IsReadOnly { get; set; }
}

/// <summary>A health check as it was written.</summary>
internal sealed class HealthCheckDraft
{
    public HttpCheckDraft? Http { get; set; }
    public TcpCheckDraft? Tcp { get; set; }
    public List<string>? Command { get; set; }
    public bool? IsOfImage { get; set; }
    public string? Interval { get; set; }
    public string? Timeout { get; set; }
    public int? Retries { get; set; }
    public string? StartPeriod { get; set; }
}

internal sealed class HttpCheckDraft
{
    public string? Path { get; set; }
    public int? Port { get; set; }
}

internal sealed class TcpCheckDraft
{
    public int? Port { get; set; }
}

/// <summary>A listener as it was written.</summary>
internal sealed class ListenerDraft
{
    public string? Name { get; set; }
    public string? Service { get; set; }
    public int? GuestPort { get; set; }
    public string? Flow { get; set; }
    public string? Protocol { get; set; }
    public List<int>? RemotePorts { get; set; }
    public string? ProxyProtocol { get; set; }
    public int? HstsMaxAge { get; set; }
    public string? HealthPath { get; set; }
}

/// <summary>A volume as it was written.</summary>
internal sealed class VolumeDraft
{
    public string? Container { get; set; }
    public string? SizeLimit { get; set; }
    public string? Kind { get; set; }
}

/// <summary>A secret as it was written.</summary>
internal sealed class SecretDraft
{
    public string? Format { get; set; }
    public int? Length { get; set; }
}
