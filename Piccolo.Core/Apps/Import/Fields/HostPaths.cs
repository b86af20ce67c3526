using Piccolo.Core.Apps.Import.Model;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>What a path of the host is for, seen from an app.</summary>
internal enum HostPathKind
{
    /// <summary>A folder of the app's own data, wherever it lies.</summary>
    Folder,

    /// <summary>A single file.</summary>
    File,

    /// <summary>The host's clock and time zone.</summary>
    Time,

    /// <summary>Whoever has it is root on the host.</summary>
    EngineSocket,

    Device,

    /// <summary>Of the system, and apps work without it.</summary>
    Spare,

    /// <summary>Of the system.</summary>
    System,
}

internal static class HostPaths
{
    private static readonly string[] OfTheSystem =
    [
        "/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/var/log", "/var/lib/docker", "/var/lib/containers",
        "/var/lib/containerd", "/var/lib/systemd",
    ];

    // Below /etc there are folders of apps, too.
    private static readonly string[] OfConfiguration =
    [
        "passwd", "group", "shadow", "gshadow", "subuid", "subgid", "sudoers", "sudoers.d", "ssh", "ssl", "pki", "pam.d", "security", "systemd", "init.d",
        "cron.d", "cron.daily", "crontab", "default", "fstab", "mtab", "hosts", "hostname", "resolv.conf", "network", "netplan", "docker", "containers",
        "containerd", "kubernetes",
        "apt", "udev", "modprobe.d",
        "ca-certificates", "selinux", "apparmor", "apparmor.d", "sysctl.conf", "sysctl.d", "environment", "profile", "profile.d", "ld.so.conf",
        "ld.so.preload", "piccolo",
    ];

    private static readonly string[] Spare = ["/run/dbus", "/var/run/dbus", "/run/udev", "/lib/modules", "/usr/src", "/etc/machine-id", "/etc/os-release",
        "/dev/shm"];

    private static readonly string[] FileEndings =
    [
        ".conf", ".cfg", ".cnf", ".ini", ".yml", ".yaml", ".json", ".toml", ".xml", ".properties", ".env", ".sh", ".sql", ".js", ".py", ".php", ".rb", ".lua",
        ".txt", ".md",
        ".template", ".tmpl", ".tpl", ".key", ".pem", ".crt", ".cert", ".csv", ".htpasswd", ".db", ".sqlite", ".sqlite3", ".log", ".lock", ".html", ".css",
        ".rules", ".list",
    ];

    private static readonly string[] FileNames = ["caddyfile", "crontab", "dockerfile", "procfile", "htpasswd", "authorized_keys", "known_hosts", "gitconfig",
        ".gitconfig"];

    /// <param name="source">With its variables filled in.</param>
    /// <param name="target">Where the container sees it.</param>
    public static HostPathKind Of(string source, string target, ImportContext context)
    {
        var path = source.Length > 1 ? source.TrimEnd('/') : source;
        if (path.EndsWith(".sock", StringComparison.Ordinal) && Has(path, "docker", "podman", "containerd", "crio")) return HostPathKind.EngineSocket;
        if (path is "/run/podman" or "/run/docker" or "/run/containerd" or "/var/run/docker" or "/var/run/podman") return HostPathKind.EngineSocket;
        if (path is "/etc/localtime" or "/etc/timezone" || IsBelow(path, "/usr/share/zoneinfo")) return HostPathKind.Time;
        if (Spare.Any(s => IsBelow(path, s))) return HostPathKind.Spare;
        if (IsBelow(path, "/dev") && path != "/dev") return HostPathKind.Device;
        if (path == "/" || OfTheSystem.Any(s => IsBelow(path, s))) return HostPathKind.System;
        if (path == "/etc" || (IsBelow(path, "/etc") && OfConfiguration.Contains(path.Split('/')[2]))) return HostPathKind.System;
        return IsFile(path) || IsFile(target) || context.Companion(path) is not null ? HostPathKind.File : HostPathKind.Folder;
    }

    public static bool IsBelow(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);

    private static bool IsFile(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..].ToLowerInvariant();
        return FileNames.Contains(name) || (name.IndexOf('.', StringComparison.Ordinal) > 0 && FileEndings.Any(Ends));

        bool Ends(string ending) => name.EndsWith(ending, StringComparison.Ordinal);
    }

    private static bool Has(string path, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
            if (path.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
