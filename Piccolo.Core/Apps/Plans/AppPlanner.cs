using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Plans;

/// <summary>From an app's record to its plan: order, values, ports.</summary>
internal sealed class AppPlanner(IListenerUrls urls, InstanceId instance, TimeProvider time)
{
    /// <param name="secrets">What was generated for the app.</param>
    /// <returns>Null where a secret is missing that the manifest names.</returns>
    public AppPlan? Plan(AppRecord app, AppSecrets? secrets)
    {
        try
        {
            var listeners = app.Listeners.ToDictionary(l => l.Name, StringComparer.Ordinal);
            return new AppPlan(app.Name, [.. ServiceOrder.Of(app.Manifest.Services).Select(Plan)], app.Manifest.Main.Name, app.Manifest.Volumes)
            {
                Revision = app.UpdatedAt,
            };

            ServicePlan Plan(ServiceManifest service) => new(service, Spec(app, service, text => ManifestValues.Expand(text, Resolve)));

            string Resolve(ValueReference reference) => (reference.Prefix, reference.Name) switch
            {
                ("listener", _) => FieldOf(urls.Of(listeners[reference.Name]), reference.Field),
                ("secret", _) => (secrets?.Values ?? throw new KeyNotFoundException())[reference.Name],
                ("app", "name") => app.Name,
                ("device", "time_zone") => time.LocalTimeZone.Id,
                _ => throw new KeyNotFoundException(),
            };
        }
        catch (KeyNotFoundException)
        {
            return null;
        }
    }

    private ContainerSpec Spec(AppRecord app, ServiceManifest service, Func<string, string> expand) => new(
        instance,
        app.Name,
        service.Name,
        ImageReference.Parse(service.Image),
        service.Environment.ToImmutableSortedDictionary(e => e.Key, e => expand(e.Value), StringComparer.Ordinal),
        [.. app.Listeners.Where(l => app.Manifest.ServiceOf(l.Definition) == service).Select(l => new PortPublication(l.Definition.GuestPort, l.GuardPort))],
        service.MemoryBytes,
        service.NanoCpus)
    {
        ImageId = app.ImageIds.GetValueOrDefault(service.Name),
        Command = [.. service.Command.Select(expand)],
        Entrypoint = service.Entrypoint,
        User = service.User,
        WorkingDirectory = service.WorkingDirectory,
        Hostname = service.Hostname,
        HasInit = service.HasInit,
        Aliases = service.Aliases,
        // A service alone has nobody to reach.
        Peers = app.Manifest.Services.Length == 1
            ? ImmutableSortedDictionary.Create<string, ImmutableArray<string>>(StringComparer.Ordinal)
            : app.Manifest.Services.ToImmutableSortedDictionary(s => s.Name, s => s.Aliases, StringComparer.Ordinal),
        StopSignal = service.StopSignal,
        SharedMemoryBytes = service.SharedMemoryBytes,
        TemporaryFolders = service.TemporaryFolders,
        IsRootReadOnly = service.IsRootReadOnly,
        Rights = service.Network,
        Capabilities = service.Capabilities,
        HasNewPrivileges = service.HasNewPrivileges,
        Sysctls = service.Sysctls,
        Revision = service.Run == RunMode.Once ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(app.ManifestText))) : "",
    };

    private static string FieldOf(ListenerUrl url, string? field) => field switch
    {
        "url" => url.ToString(),
        "host" => url.Host,
        "port" => url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        "scheme" => url.Scheme,
        _ => throw new KeyNotFoundException(),
    };
}
