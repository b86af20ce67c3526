using System.Collections.Immutable;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>What installing a manifest would do to the containers and volumes of the app as it is.</summary>
public static class ManifestChanges
{
    /// <summary>Plain sentences: which services would be added, removed or made anew and why, and which volumes are new.</summary>
    /// <param name="installed">Null where there is no app of that name.</param>
    public static ImmutableArray<string> Between(AppManifest? installed, AppManifest wanted)
    {
        var changes = Services(installed, wanted).Concat(Volumes(installed, wanted)).ToImmutableArray();
        return changes.IsEmpty || installed is null ? changes : [.. changes, .. RunsAgain(installed, wanted)];
    }

    private static IEnumerable<string> Services(AppManifest? installed, AppManifest wanted)
    {
        var old = (installed?.Services ?? []).ToDictionary(s => s.Name, StringComparer.Ordinal);
        foreach (var service in wanted.Services)
        {
            if (!old.TryGetValue(service.Name, out var before)) yield return $"The service '{service.Name}' is added.";
            else if (Changed(Fields(before, installed!), Fields(service, wanted)) is { Count: > 0 } changed)
                yield return $"The service '{service.Name}' is made anew: {string.Join(", ", changed)} changed.";
        }
        foreach (var service in old.Keys.Except(wanted.Services.Select(s => s.Name))) yield return $"The service '{service}' is removed.";
    }

    private static List<string> Changed(IEnumerable<(string Name, string Value)> before, IEnumerable<(string Name, string Value)> after) =>
        [.. before.Zip(after).Where(f => f.First.Value != f.Second.Value).Select(f => f.First.Name)];

    private static IEnumerable<string> RunsAgain(AppManifest installed, AppManifest wanted) =>
        from service in wanted.Services
        where service.Run == RunMode.Once && installed.Services.Any(s => s.Name == service.Name)
        select $"The service '{service.Name}' runs once more.";

    private static IEnumerable<string> Volumes(AppManifest? installed, AppManifest wanted)
    {
        var old = installed?.Volumes.Keys ?? [];
        foreach (var volume in wanted.Volumes.Keys.Except(old)) yield return $"The volume '{volume}' is new.";
        foreach (var volume in old.Except(wanted.Volumes.Keys)) yield return $"The volume '{volume}' is no longer in the manifest.";
    }

    /// <summary>What decides how a container is made, as texts to compare, by its name in the manifest. The same names in the same order each time.</summary>
    private static IEnumerable<(string Name, string Value)> Fields(ServiceManifest service, AppManifest app) =>
    [
        ("image", service.Image),
        ("command", Joined(service.Command)),
        ("entrypoint", Joined(service.Entrypoint)),
        ("user", service.User ?? ""),
        ("working_dir", service.WorkingDirectory ?? ""),
        ("hostname", service.Hostname ?? ""),
        ("init", service.HasInit.ToString()),
        ("aliases", Joined(service.Aliases)),
        ("environment", Joined(service.Environment.Select(e => $"{e.Key}={e.Value}"))),
        ("mounts", Joined(service.Mounts.Select(m => m.ToString()))),
        ("run", service.Run.ToString()),
        ("stop.signal", service.StopSignal ?? ""),
        ("resources.limits", $"{service.MemoryBytes} {service.NanoCpus}"),
        ("resources.shm", $"{service.SharedMemoryBytes}"),
        ("resources.tmpfs", Joined(service.TemporaryFolders.Select(t => $"{t.Key}={t.Value}"))),
        ("permissions.filesystem", service.IsRootReadOnly.ToString()),
        ("permissions.network", service.Network.ToString()),
        ("permissions.capabilities", service.Capabilities is { } asked ? Joined(asked.Prepend("these")) : ""),
        ("permissions.new_privileges", service.HasNewPrivileges.ToString()),
        ("permissions.sysctls", Joined(service.Sysctls.Select(s => $"{s.Key}={s.Value}"))),
        ("listeners", Joined(PortsOf(service, app))),
    ];

    private static IEnumerable<string> PortsOf(ServiceManifest service, AppManifest app) =>
        app.Listeners.Where(l => app.ServiceOf(l).Name == service.Name).OrderBy(l => l.Name, StringComparer.Ordinal).Select(PortOf);

    private static string PortOf(ListenerDefinition listener) => $"{listener.Name} {listener.GuestPort}";

    // No value holds this character.
    private static string Joined(IEnumerable<string> values) => string.Join('\0', values);
}
