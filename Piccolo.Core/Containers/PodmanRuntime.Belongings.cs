using System.Collections.Immutable;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers;

// What belongs to an app and outlives its containers: a network, and the volumes that images declare, of which the engine would make anonymous ones that belong
// to a container.
internal sealed partial class PodmanRuntime
{
    public Task<ContainerResult<ImmutableSortedDictionary<string, string>>> VolumesOfAsync(string id, CancellationToken cancellationToken) =>
        CallAsync<ImmutableSortedDictionary<string, string>>("inspect", async (client, token) =>
        {
            if (await InspectAsync(client, id, token) is not { } found) return Volumes.Empty;
            return !IsOurs(found.Config?.Labels) ? EngineErrors.Foreign(found.Name?.TrimStart('/') ?? id)
                : Volumes.Empty.SetItems(
                    (found.Mounts ?? []).Where(m => m.Type == "volume" && m.Name is { Length: > 0 }).Select(m => KeyValuePair.Create(m.Destination, m.Name!)));
        }, cancellationToken);

    public Task<ContainerResult<string>> CreateAsync(ContainerSpec spec, ImmutableSortedDictionary<string, string> kept, CancellationToken cancellationToken) =>
        CallAsync<string>("create", async (client, token) =>
        {
            var volumes = await PrepareVolumesAsync(client, spec, kept, token);
            if ((volumes.Fault ?? await PrepareNetworkAsync(client, spec, token)) is { } fault) return fault;
            try
            {
                return (await client.Containers.CreateContainerAsync(ContainerConfinement.ToParameters(spec, volumes.Value!), token)).ID;
            }
            catch (DockerApiException e) when (EngineErrors.IsNameTaken(e))
            {
                return EngineErrors.Foreign(spec.Name);
            }
        }, cancellationToken);

    public async Task<ContainerFault?> RemoveWithVolumesAsync(string app, CancellationToken cancellationToken)
    {
        var found = await FindAsync(app, cancellationToken);
        // A container that is not ours has none of our volumes.
        if (found.Fault is { Kind: not ContainerFaultKind.Foreign } unknown) return unknown;
        if (found.Value is { } container && await RemoveAsync(container.Id, andAnonymousVolumes: true, cancellationToken) is { } fault) return fault;
        return (await CallAsync<bool>("remove volumes and network", async (client, token) =>
        {
            foreach (var volume in (await VolumesOfAppAsync(client, app, token)).Values) await client.Volumes.RemoveAsync(volume, cancellationToken: token);
            var network = ContainerSpec.NameOf(_instance, app);
            if (await HasOurNetworkAsync(client, network, token)) await client.Networks.DeleteNetworkAsync(network, token);
            return true;
        }, cancellationToken)).Fault;
    }

    /// <summary>What the new container gets: the volumes that the app has, and a new one for each other path that the image declares.</summary>
    private async Task<ContainerResult<ImmutableSortedDictionary<string, string>>> PrepareVolumesAsync(
        DockerClient client, ContainerSpec spec, ImmutableSortedDictionary<string, string> kept, CancellationToken cancellationToken)
    {
        var volumes = (await VolumesOfAppAsync(client, spec.App, cancellationToken)).SetItems(kept);
        var image = await client.Images.InspectImageAsync(spec.Image.ToString(), cancellationToken);
        foreach (var path in (image.Config?.Volumes?.Keys ?? []).Select(Normal).Where(p => !volumes.ContainsKey(p)))
        {
            // The colon ends the path in the engine's notation; a volume that cannot be kept is not made at all.
            if (path.Contains(':', StringComparison.Ordinal)) return EngineErrors.VolumePath(spec.Image);
            var name = ContainerSpec.VolumeNameOf(_instance, spec.App, path);
            var labels = new Dictionary<string, string>
            {
                [ContainerLabels.Instance] = _instance.Value,
                [ContainerLabels.App] = spec.App,
                [ContainerLabels.Path] = path,
            };
            // Where there is one of that name already, the engine answers with that.
            var made = await client.Volumes.CreateAsync(new VolumesCreateParameters { Name = name, Labels = labels }, cancellationToken);
            if (!IsOurs(made.Labels)) return EngineErrors.ForeignVolume(name);
            volumes = volumes.Add(path, name);
        }
        return volumes;
    }

    private async Task<ContainerFault?> PrepareNetworkAsync(DockerClient client, ContainerSpec spec, CancellationToken cancellationToken)
    {
        if (await HasOurNetworkAsync(client, spec.Name, cancellationToken)) return null;
        var labels = new Dictionary<string, string> { [ContainerLabels.Instance] = _instance.Value, [ContainerLabels.App] = spec.App };
        if (await _libpod!.CreateNetworkAsync(spec.Name, labels, cancellationToken) is not var (exists, text)) return null;
        _logger.EngineRefused("create network", exists ? ContainerFaultKind.Foreign : ContainerFaultKind.Refused, Cut(text));
        return exists ? EngineErrors.ForeignNetwork(spec.Name) : EngineErrors.Refused;
    }

    private async Task<bool> HasOurNetworkAsync(DockerClient client, string name, CancellationToken cancellationToken) =>
        (await client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = OurLabel() }, cancellationToken))
            .Any(n => n.Name == name && IsOurs(n.Labels));

    private async Task<ImmutableSortedDictionary<string, string>> VolumesOfAppAsync(DockerClient client, string app, CancellationToken cancellationToken)
    {
        var found = await client.Volumes.ListAsync(new VolumesListParameters { Filters = OurLabel() }, cancellationToken);
        return Volumes.Empty.SetItems((found.Volumes ?? []).Where(v => IsOurs(v.Labels) && Label(v.Labels, ContainerLabels.App) == app)
            .Select(v => KeyValuePair.Create(Label(v.Labels, ContainerLabels.Path), v.Name)));
    }

    /// <summary>Images write <c>/data</c>, <c>/data/</c> and <c>data</c> for the same place.</summary>
    private static string Normal(string path) => "/" + path.Trim('/');

    private static class Volumes
    {
        public static readonly ImmutableSortedDictionary<string, string> Empty = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
    }
}
