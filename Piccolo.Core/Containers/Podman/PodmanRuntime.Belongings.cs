using System.Collections.Immutable;
using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers.Podman;

// What belongs to an app and outlives its containers: a network, and the volumes that images declare, of which the engine would make anonymous ones that belong
// to a container.
internal sealed partial class PodmanRuntime
{
    public Task<ContainerResult<ImmutableSortedDictionary<string, string>>> VolumesOfAsync(string id, CancellationToken cancellationToken) =>
        CallAsync<ImmutableSortedDictionary<string, string>>("inspect", async (client, token) =>
        {
            if (await InspectAsync(client, id, token) is not { } found) return Surroundings.NoVolumes;
            return !IsOurs(found.Config?.Labels) ? EngineErrors.Foreign(found.Name?.TrimStart('/') ?? id)
                : Surroundings.NoVolumes.SetItems(
                    (found.Mounts ?? []).Where(m => m.Type == "volume" && m.Name is { Length: > 0 }).Select(m => KeyValuePair.Create(m.Destination, m.Name!)));
        }, cancellationToken);

    public Task<ContainerResult<string>> CreateAsync(ContainerSpec spec, ImmutableSortedDictionary<string, string> kept, CancellationToken cancellationToken) =>
        CallAsync<string>("create", async (client, token) =>
        {
            if (spec.Mounts.Concat(spec.TemporaryFolders.Keys.Select(f => new BindMount(f, "", false))).FirstOrDefault(HasColon) is { } unfit)
                return EngineErrors.MountPath(unfit.Path);
            var declared = VolumesOf(await _libpod!.InspectImageAsync(spec.Image.ToString(), token));
            var volumes = await PrepareVolumesAsync(client, spec, declared, kept, token);
            if (volumes.Fault is not null) return volumes.Fault;
            var addresses = await PrepareNetworkAsync(client, spec, token);
            if (addresses.Fault is not null) return addresses.Fault;
            var surroundings = new Surroundings(volumes.Value!, [.. spec.Mounts, .. Surroundings.MountsBelow(spec, declared)], addresses.Value!);
            try
            {
                return (await client.Containers.CreateContainerAsync(ContainerConfinement.ToParameters(spec, surroundings), token)).ID;
            }
            catch (DockerApiException e) when (EngineErrors.IsNameTaken(e))
            {
                return EngineErrors.Foreign(spec.Name);
            }
        }, cancellationToken);

    public async Task<ContainerFault?> RemoveWithVolumesAsync(string app, CancellationToken cancellationToken)
    {
        var found = await ListAsync(cancellationToken);
        if (found.Fault is { } unknown) return unknown;
        var (own, begin) = (ContainerSpec.NameOf(_instance, app), ContainerSpec.NameOf(_instance, app) + ".");
        foreach (var container in found.Value.Where(c => c.App == app || c.Name == own || c.Name.StartsWith(begin, StringComparison.Ordinal)))
            if (await RemoveAsync(container.Id, andAnonymousVolumes: true, cancellationToken) is { } fault) return fault;
        await KeepRightsAsync(cancellationToken);
        return (await CallAsync<bool>("remove volumes and network", async (client, token) =>
        {
            foreach (var volume in await VolumesAsync(client, app, token)) await client.Volumes.RemoveAsync(volume.Name, cancellationToken: token);
            if (await NetworkAsync(client, own, token) is not null) await client.Networks.DeleteNetworkAsync(own, token);
            return true;
        }, cancellationToken)).Fault;
    }

    /// <summary>The colon ends a path in the engine's notation.</summary>
    private static bool HasColon(BindMount mount) =>
        mount.Path.Contains(':', StringComparison.Ordinal) || mount.Source.Contains(':', StringComparison.Ordinal);

    /// <summary>What the new container gets: the volumes that the service has, and a new one for each other path that the image declares.</summary>
    private async Task<ContainerResult<ImmutableSortedDictionary<string, string>>> PrepareVolumesAsync(
        DockerClient client, ContainerSpec spec, ImmutableArray<string> declared, ImmutableSortedDictionary<string, string> kept,
        CancellationToken cancellationToken)
    {
        var owned = (await VolumesAsync(client, spec.App, cancellationToken)).Where(v => ServiceOf(v.Labels) == spec.Service);
        var volumes = Surroundings.NoVolumes.SetItems(owned.Select(v => KeyValuePair.Create(Label(v.Labels, ContainerLabels.Path), v.Name))).SetItems(kept);
        volumes = volumes.RemoveRange(volumes.Keys.Where(path => Surroundings.Covers(spec, Surroundings.Normal(path))));
        foreach (var path in declared.Where(p => !volumes.ContainsKey(p) && !Surroundings.Covers(spec, p)))
        {
            // A volume that cannot be kept is not made at all.
            if (path.Contains(':', StringComparison.Ordinal)) return EngineErrors.VolumePath(spec.Image);
            var name = ContainerSpec.VolumeNameOf(_instance, spec.App, spec.Service, path);
            var labels = new Dictionary<string, string>
            {
                [ContainerLabels.Instance] = _instance.Value,
                [ContainerLabels.App] = spec.App,
                [ContainerLabels.Service] = spec.Service,
                [ContainerLabels.Path] = path,
            };
            // Where there is one of that name already, the engine answers with that.
            var made = await client.Volumes.CreateAsync(new VolumesCreateParameters { Name = name, Labels = labels }, cancellationToken);
            if (!IsOurs(made.Labels)) return EngineErrors.ForeignVolume(name);
            volumes = volumes.Add(path, name);
        }
        return volumes;
    }

    /// <returns>The addresses of the app's services on its network; empty where there is only one and its network has none to give.</returns>
    private async Task<ContainerResult<ImmutableSortedDictionary<string, IPAddress>>> PrepareNetworkAsync(
        DockerClient client, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var name = ContainerSpec.NameOf(_instance, spec.App);
        var network = await NetworkAsync(client, name, cancellationToken);
        if (network is null)
        {
            var labels = new Dictionary<string, string> { [ContainerLabels.Instance] = _instance.Value, [ContainerLabels.App] = spec.App };
            var refused = await _libpod!.CreateNetworkAsync(name, labels, cancellationToken);
            // Two services of an app may be made at the same time: then the other one made it.
            network = await NetworkAsync(client, name, cancellationToken);
            if (network is null)
            {
                var exists = refused?.Exists == true;
                _logger.EngineRefused("create network", exists ? ContainerFaultKind.Foreign : ContainerFaultKind.Refused, Cut(refused?.Text ?? ""));
                return exists ? EngineErrors.ForeignNetwork(name) : EngineErrors.Refused;
            }
        }
        var range = (network.IPAM?.Config ?? []).Select(c => IPNetwork.TryParse(c.Subnet, out var parsed) ? parsed : default(IPNetwork?)).FirstOrDefault();
        var addresses = range is { } known ? ServiceAddresses.Of(known, spec.Peers.Keys.Append(spec.Service)) : null;
        // A service alone needs none: what it may reach is then opened once it runs, for the address that the engine gave.
        return addresses ?? (spec.Peers.IsEmpty ? Surroundings.NoAddresses : new ContainerResult<ImmutableSortedDictionary<string, IPAddress>>(
            null, EngineErrors.NoAddresses(name)));
    }

    private async Task<NetworkResponse?> NetworkAsync(DockerClient client, string name, CancellationToken cancellationToken) =>
        (await client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = OurLabel() }, cancellationToken))
            .FirstOrDefault(n => n.Name == name && IsOurs(n.Labels));

    private async Task<IEnumerable<VolumeResponse>> VolumesAsync(DockerClient client, string app, CancellationToken cancellationToken)
    {
        var found = await client.Volumes.ListAsync(new VolumesListParameters { Filters = OurLabel() }, cancellationToken);
        return (found.Volumes ?? []).Where(v => IsOurs(v.Labels) && Label(v.Labels, ContainerLabels.App) == app);
    }
}
