using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>The fields of a service: below its label, or at the top of a manifest without <c>services</c>.</summary>
internal static class ServiceFields
{
    private static readonly TextShape Size = new() { Pattern = ManifestPatterns.Size, Examples = ["256MB"] };
    private static readonly TextShape Duration = new() { Pattern = ManifestPatterns.Duration, Examples = ["30s"] };
    private static readonly TextShape Path = new() { Pattern = ContainerPath.Pattern, MaxLength = ManifestLimits.PathLength, Examples = ["/data"] };
    private static readonly TextShape Word = new() { Types = ["string", "number", "boolean"], MaxLength = ManifestLimits.WordLength };
    private static readonly NumberShape Port = new(1, 65535);
    private static readonly SwitchShape Switch = new();

    private static readonly Shape<List<string>> Command = new ShortFormShape<List<string>>(
        new TextShape { MaxLength = ManifestLimits.WordLength },
        text => text.Length > ManifestLimits.WordLength ? (null, $"A command in one text has at most {ManifestLimits.WordLength} characters.")
            : ShellWords.TrySplit(text, out var words) ? (words, null)
            : (null, "A quotation mark or a backslash of the command has no end."),
        new ListShape<string>(Word, ManifestLimits.Words));

    private static readonly Shape<MountDraft> Mount = new ShortFormShape<MountDraft>(
        new TextShape { Pattern = ManifestPatterns.Label, Examples = ["data"] },
        text => (new MountDraft { Volume = text }, null),
        new ObjectShape<MountDraft>(new FieldTable<MountDraft>()
            .With("volume", new TextShape { Pattern = ManifestPatterns.Label, Examples = ["data"] }, (m, value) => m.Volume = value,
                "A volume of the app.")
            .With("read_only", Switch, (m, value) => m.IsReadOnly = value, "Whether the service may only read it.")
            .NotYet("folder", "sub")
            .Requiring("volume")));

    private static readonly Shape<HealthCheckDraft> HealthCheck = new ShortFormShape<HealthCheckDraft>(
        new TextShape { Words = ["image"] },
        text => text == "image" ? (new HealthCheckDraft { IsOfImage = true }, null) : (null, "A health check in one word is 'image': the image's own."),
        new ObjectShape<HealthCheckDraft>(new FieldTable<HealthCheckDraft>()
            .With("http", new ObjectShape<HttpCheckDraft>(new FieldTable<HttpCheckDraft>()
                .With("path", new TextShape { Pattern = "/[!-~]*", MaxLength = ManifestLimits.HealthPathLength, Examples = ["/health"] },
                    (h, value) => h.Path = value, "Asked for by GET; a status below 400 is healthy.")
                .With("port", Port, (h, value) => h.Port = value, "Inside the container.")
                .Requiring("path", "port")), (h, value) => h.Http = value, "Asks over HTTP.")
            .With("tcp", new ObjectShape<TcpCheckDraft>(new FieldTable<TcpCheckDraft>()
                .With("port", Port, (t, value) => t.Port = value, "Inside the container.")
                .Requiring("port")), (h, value) => h.Tcp = value, "Connects.")
            .With("command", Command, (h, value) => h.Command = value, "Runs in the container; exit code 0 is healthy.")
            .With("image", new SwitchShape(isOnlyTrue: true), (h, value) => h.IsOfImage = value, "true: what the image declares.")
            .With("interval", Duration, (h, value) => h.Interval = value, "Between two checks; 30s without it.")
            .With("timeout", Duration, (h, value) => h.Timeout = value, "Of one check; 10s without it.")
            .With("retries", new NumberShape(1, ManifestLimits.HealthRetries), (h, value) => h.Retries = value,
                "Failures in a row that make it unhealthy; 3 without it.")
            .With("start_period", Duration, (h, value) => h.StartPeriod = value, "After a start, failures do not count for so long; 2m without it.")));

    private static readonly FieldTable<ServiceDraft> Resources = new FieldTable<ServiceDraft>()
        .Into("limits", new FieldTable<ServiceDraft>()
            .With("memory", Size, (s, value) => s.Memory = value, "From 6MB to 4TB; no limit without it.")
            .With("cpu", new TextShape { Types = ["string", "number"], Examples = ["0.5"] }, (s, value) => s.Cpu = value, "Processors, from 0.01 to 64.")
            .NotYet("storage"))
        .With("shm", Size, (s, value) => s.SharedMemory = value, "Size of /dev/shm; 64MB without it.")
        .With("tmpfs", new MapShape<string>(Path, Size, ManifestLimits.TemporaryFolders, "folder"), (s, value) => s.TemporaryFolders = value,
            "Writable folders in memory, each with its size.");

    private static readonly RightShape Right = new();

    private static readonly FieldTable<ServiceDraft> Permissions = new FieldTable<ServiceDraft>()
        .Into("network", new FieldTable<ServiceDraft>()
            .With("internet", Right, (s, value) => s.Internet = value, "Whether it reaches the internet; deny without it.")
            .With("local_network", Right, (s, value) => s.LocalNetwork = value,
                "Whether it reaches private addresses and this device's networks; deny without it.")
            .With("dns", Right, (s, value) => s.Dns = value,
                "Whether it may ask this device's name servers; without it as soon as 'internet' or 'local_network' is allowed.")
            .NotYet("allowed_domains", "allowed_ips"))
        .Into("filesystem", new FieldTable<ServiceDraft>()
            .With("read_only_root", Switch, (s, value) => s.IsRootReadOnly = value,
                "Whether the container's own file system is read-only; /tmp and /run are in memory then.")
            .NotYet("device_access"), orEmpty: true)
        .With("capabilities", new ListShape<string>(new TextShape { Words = [.. Containers.Capabilities.Grantable] }, ManifestLimits.Capabilities),
            (s, value) => s.Capabilities = value, "Beside those that every service has; an empty list means none at all.")
        .With("new_privileges", Right, (s, value) => s.NewPrivileges = value,
            "Whether programs such as sudo may get more than whoever runs them has; deny without it.", orEmpty: true)
        .With("sysctls",
            new MapShape<string>(
                new TextShape { Pattern = ManifestPatterns.Sysctl, MaxLength = ManifestLimits.SysctlLength, Examples = ["net.ipv4.ip_forward"] },
                new TextShape { Pattern = ManifestPatterns.SysctlValue, Types = ["string", "number"] }, ManifestLimits.Sysctls, "setting"),
            (s, value) => s.Sysctls = value, "Kernel settings of the service's own network: names that begin with 'net.'.", orEmpty: true)
        .NotYet("resources", "preset");

    public static readonly FieldTable<ServiceDraft> Table = new FieldTable<ServiceDraft>()
        .With("image", new TextShape { Examples = ["docker.io/library/nginx:1.29"] }, (s, value) => s.Image = value, "An image reference with tag or digest.")
        .With("command", Command, (s, value) => s.Command = value, "In place of the image's own; a text is split as a shell would.")
        .With("entrypoint", Command, (s, value) => s.Entrypoint = value, "In place of the image's own; a text is split as a shell would.")
        .With("user", new TextShape { Types = ["string", "number"], Examples = ["1000:1000"] }, (s, value) => s.User = value,
            "A number or a name of the image, and a group after ':'.")
        .With("working_dir", Path, (s, value) => s.WorkingDirectory = value, "Where the command begins.")
        .With("hostname", new TextShape { MaxLength = ManifestLimits.HostnameLength, Examples = ["notes"] }, (s, value) => s.Hostname = value,
            "What the container takes for its own name; the label without it.")
        .With("init", Switch, (s, value) => s.HasInit = value, "Whether a small init process reaps children and forwards signals.")
        .With("aliases", new ListShape<string>(new TextShape { Pattern = ManifestPatterns.Alias, Examples = ["old_name"] }, ManifestLimits.Aliases),
            (s, value) => s.Aliases = value, "More names under which the other services reach it.")
        .With("environment",
            new MapShape<string>(
                new TextShape { Pattern = ManifestPatterns.VariableName, MaxLength = ManifestLimits.VariableNameLength },
                new VariableShape(ManifestLimits.VariableLength), ManifestLimits.Variables, "variable"),
            (s, value) => s.Environment = value, "Variables; ${listener.NAME.url}, ${secret.NAME}, ${app.name} and ${device.time_zone} are filled in.")
        .With("mounts", new MapShape<MountDraft>(Path, Mount, ManifestLimits.Mounts, "mount"), (s, value) => s.Mounts = value,
            "Paths of the container and the volumes there.")
        .With("depends_on",
            new MapShape<string>(
                new TextShape { Pattern = ManifestPatterns.Label }, new TextShape { Words = ["started", "healthy", "completed"] }, ManifestLimits.Services,
                "service"),
            (s, value) => s.DependsOn = value, "The services that come first, and how far they must be.", orEmpty: true)
        .With("run", new RunShape(), (s, value) => s.Run = value, "always (default), or once for each revision of the manifest.")
        .With("healthcheck", HealthCheck, (s, value) => s.HealthCheck = value,
            "How the service is asked whether it works; without it the image's own check, else a connection to its first listener.", orEmpty: true)
        .Into("stop", new FieldTable<ServiceDraft>()
            .With("signal", new TextShape { Pattern = ManifestPatterns.Signal, Examples = ["SIGINT"] }, (s, value) => s.StopSignal = value,
                "In place of the image's own.")
            .With("grace", Duration, (s, value) => s.StopGrace = value, "From 1s to 10m; 30s without it, 120s for databases."))
        .Into("resources", Resources)
        .Into("permissions", Permissions)
        .NotYet("build", "files", "network_of");
}
