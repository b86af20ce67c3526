using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Containers;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>A draft without errors as the manifest that it is: defaults filled in, paths and names in one form.</summary>
internal static class ManifestBuilder
{
    /// <param name="openUnlessSaid">Whether a service of which nothing is said reaches everything, as it did in releases that could not close it.</param>
    public static AppManifest Build(ManifestDraft draft, bool openUnlessSaid = false)
    {
        var services = draft.Entries.ToList();
        return new AppManifest(
            draft.Name!,
            draft.Type is null ? AppType.User : Enum.Parse<AppType>(draft.Type, ignoreCase: true),
            [.. services.Select(s => Build(s, draft, openUnlessSaid))],
            // Null says "the only one": so a manifest means the same with and without saying it.
            [.. draft.Listeners!.Select(l => Build(l) with { Service = services.Count > 1 ? l.Service : null })])
        {
            Volumes = draft.Volumes.ToImmutableSortedDictionary(v => v.Key, v => Build(v.Value), StringComparer.Ordinal),
            Secrets = draft.Secrets.ToImmutableSortedDictionary(s => s.Key, s => Build(s.Value), StringComparer.Ordinal),
        };
    }

    private static ServiceManifest Build(ServiceEntry entry, ManifestDraft app, bool openUnlessSaid)
    {
        var draft = entry.Draft;
        return new ServiceManifest(entry.Name, draft.Image!)
        {
            Environment = draft.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Command = [.. draft.Command ?? []],
            Entrypoint = [.. draft.Entrypoint ?? []],
            User = draft.User,
            WorkingDirectory = draft.WorkingDirectory is null ? null : Normal(draft.WorkingDirectory),
            Hostname = draft.Hostname,
            HasInit = draft.HasInit ?? false,
            Aliases = [.. draft.Aliases],
            Mounts = Mounts(draft, app, isOnly: entry.Name == AppManifest.MainService && app.Services is null or { Count: 1 }),
            DependsOn = draft.DependsOn.ToImmutableSortedDictionary(
                d => d.Key, d => Enum.Parse<DependencyCondition>(d.Value, ignoreCase: true), StringComparer.Ordinal),
            Run = draft.Run == "once" ? RunMode.Once : RunMode.Always,
            HealthCheck = draft.HealthCheck is null ? null : Build(draft.HealthCheck),
            StopSignal = draft.StopSignal is { } signal && !signal.StartsWith("SIG", StringComparison.Ordinal) ? "SIG" + signal : draft.StopSignal,
            StopGrace = Duration(draft.StopGrace),
            MemoryBytes = Bytes(draft.Memory),
            NanoCpus = draft.Cpu is not null && ResourceSizes.TryParseNanoCpus(draft.Cpu, out var cpus) ? cpus : null,
            SharedMemoryBytes = Bytes(draft.SharedMemory),
            TemporaryFolders = draft.TemporaryFolders.ToImmutableSortedDictionary(t => Normal(t.Key), t => Bytes(t.Value)!.Value, StringComparer.Ordinal),
            IsRootReadOnly = draft.IsRootReadOnly ?? app.Top.IsRootReadOnly ?? false,
            Network = Network(draft, app.Top, openUnlessSaid),
            Capabilities = (draft.Capabilities ?? app.Top.Capabilities) is { } asked ? [.. asked.Order(StringComparer.Ordinal)] : null,
            HasNewPrivileges = IsAllowed(draft.NewPrivileges ?? app.Top.NewPrivileges),
            Sysctls = (draft.Sysctls ?? app.Top.Sysctls ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal),
        };
    }

    private static NetworkRights Network(ServiceDraft own, ServiceDraft top, bool openUnlessSaid)
    {
        // Databases have no business outside, and whoever opens the app as a whole hardly means them.
        var general = KnownStores.IsStore(own.Image!) ? own : top;
        var (internet, local, dns) = (own.Internet ?? general.Internet, own.LocalNetwork ?? general.LocalNetwork, own.Dns ?? general.Dns);
        if (openUnlessSaid && internet is null && local is null && dns is null) return NetworkRights.All;
        return new NetworkRights(IsAllowed(internet), IsAllowed(local), dns is null ? IsAllowed(internet) || IsAllowed(local) : IsAllowed(dns));
    }

    private static bool IsAllowed(string? word) => word == "allow";

    private static ImmutableArray<MountDefinition> Mounts(ServiceDraft draft, ManifestDraft app, bool isOnly)
    {
        var mounts = draft.Mounts.Select(m => new MountDefinition(Normal(m.Key), m.Value.Volume!)
        {
            IsReadOnly = m.Value.IsReadOnly ?? false,
        });
        if (isOnly)
            mounts = mounts.Concat(app.Volumes.Where(v => v.Value.Container is not null).Select(v => new MountDefinition(Normal(v.Value.Container!), v.Key)));
        // What lies inside another mount comes after it, or would be hidden by it.
        return [.. mounts.OrderBy(m => ContainerPath.DepthOf(m.Path)).ThenBy(m => m.Path, StringComparer.Ordinal)];
    }

    private static HealthCheckDefinition Build(HealthCheckDraft draft)
    {
        var defaults = new HealthCheckDefinition();
        return new HealthCheckDefinition
        {
            Http = draft.Http is { } http ? new HttpCheck(http.Path!, http.Port!.Value) : null,
            TcpPort = draft.Tcp?.Port,
            Command = [.. draft.Command ?? []],
            Interval = Duration(draft.Interval) ?? defaults.Interval,
            Timeout = Duration(draft.Timeout) ?? defaults.Timeout,
            Retries = draft.Retries ?? defaults.Retries,
            StartPeriod = Duration(draft.StartPeriod) ?? defaults.StartPeriod,
        };
    }

    private static ListenerDefinition Build(ListenerDraft draft) => new(
        draft.Name!,
        draft.GuestPort!.Value,
        draft.Flow is null ? ListenerFlow.Tcp : Enum.Parse<ListenerFlow>(draft.Flow, ignoreCase: true),
        draft.Protocol is null ? ListenerProtocol.Raw : Enum.Parse<ListenerProtocol>(draft.Protocol, ignoreCase: true),
        draft.RemotePorts is { } ports ? [.. ports] : ListenerDefinition.DefaultRemotePorts)
    {
        ClientHeader = draft.ProxyProtocol is null ? ClientHeader.None : ClientHeader.ProxyV2,
        HstsMaxAge = draft.HstsMaxAge,
        HealthPath = draft.HealthPath,
    };

    private static VolumeDefinition Build(VolumeDraft draft) =>
        new(draft.Kind is null ? VolumeKind.Data : VolumeKinds.Of(draft.Kind)!.Value, Bytes(draft.SizeLimit));

    private static SecretDefinition Build(SecretDraft draft)
    {
        var format = Enum.Parse<SecretFormat>(draft.Format!, ignoreCase: true);
        return new SecretDefinition(format, format == SecretFormat.Uuid ? Guid.Empty.ToString().Length : draft.Length ?? ManifestLimits.SecretLength);
    }

    private static string Normal(string path) =>
        ContainerPath.TryNormalise(path, out var normal, out _) ? normal : throw new InvalidOperationException("The draft has errors.");

    private static long? Bytes(string? size) => size is not null && ResourceSizes.TryParseBytes(size, out var bytes) ? bytes : null;

    private static TimeSpan? Duration(string? text) => text is not null && Durations.TryParse(text, out var duration) ? duration : null;
}
