using System.Collections.Immutable;

namespace Piccolo.Core.Containers;

/// <summary>How much an owner has to think before granting something.</summary>
public enum GrantTier
{
    /// <summary>Every app has it.</summary>
    Ordinary,

    /// <summary>It is shown; it hardly reaches beyond the container.</summary>
    Shown,

    /// <summary>It makes a container that was taken over more dangerous.</summary>
    Serious,
}

/// <summary>The kernel's capabilities, and which of them a manifest may ask for. Pure.</summary>
public static class Capabilities
{
    /// <summary>
    /// What the usual images need from root inside the container: their entry points start as root, give their data folders to the service's user (CHOWN,
    /// FOWNER, DAC_OVERRIDE), become that user (SETUID, SETGID), end their children (KILL), and some binaries carry NET_BIND_SERVICE as a file capability and
    /// would not start without it.
    /// </summary>
    public static readonly ImmutableArray<string> Ordinary = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

    private static readonly ImmutableArray<string> Shown = ["AUDIT_WRITE", "FSETID", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT", "SYS_NICE"];

    private static readonly ImmutableArray<string> Serious = ["DAC_READ_SEARCH", "IPC_LOCK", "NET_ADMIN", "PERFMON", "SYS_PTRACE", "SYS_RESOURCE"];

    /// <summary>Of the others, those that images ask for, and why no app gets them.</summary>
    private static readonly ImmutableDictionary<string, string> Refusals = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["SYS_ADMIN"] = "With SYS_ADMIN a container is as good as the device itself; no app gets it.",
        ["SYS_MODULE"] = "With SYS_MODULE a container loads code into the kernel of the device; no app gets it.",
        ["SYS_RAWIO"] = "With SYS_RAWIO a container reads and writes the device's memory and disks; no app gets it.",
        ["SYS_TIME"] = "With SYS_TIME a container sets the clock of the device; no app gets it.",
        ["SYS_BOOT"] = "With SYS_BOOT a container restarts the device; no app gets it.",
        ["BPF"] = "With BPF a container loads programs into the kernel of the device; no app gets it.",
    }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>Of capability.h, up to 6.x.</summary>
    public static readonly ImmutableArray<string> All =
    [
        .. new[]
        {
            "AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "IPC_OWNER", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
            "NET_BROADCAST", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_PACCT", "SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
        }.Concat(Ordinary).Concat(Shown).Concat(Serious).Order(StringComparer.Ordinal),
    ];

    /// <summary>What a manifest may ask for.</summary>
    public static readonly ImmutableArray<string> Grantable = [.. Ordinary.Concat(Shown).Concat(Serious).Order(StringComparer.Ordinal)];

    /// <summary>Of one of <see cref="Grantable"/>.</summary>
    public static GrantTier TierOf(string name) =>
        Ordinary.Contains(name) ? GrantTier.Ordinary : Shown.Contains(name) ? GrantTier.Shown : GrantTier.Serious;

    /// <returns>Why no app gets it; null where there is nothing special to say.</returns>
    public static string? RefusalOf(string name) => Refusals.GetValueOrDefault(name);

    /// <summary>What a container's processes may have at the most.</summary>
    public static ImmutableArray<string> Of(ContainerSpec spec) => spec.Capabilities switch
    {
        { IsEmpty: true } => [],
        { } asked => [.. Base(spec).Union(asked).Order(StringComparer.Ordinal)],
        null => Base(spec),
    };

    /// <summary>
    /// Without new privileges an ordinary user never comes to any, so that it needs none to begin with. Whether a name of the image is such a user, only the
    /// image knows.
    /// </summary>
    private static ImmutableArray<string> Base(ContainerSpec spec) =>
        !spec.HasNewPrivileges && uint.TryParse(spec.User?.Split(':')[0], out var id) && id != 0 ? [] : Ordinary;
}
