using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers.Podman;

// Which containers there are, and whether they run.
internal sealed partial class PodmanRuntime
{
    /// <summary>Somebody looks at a page and waits.</summary>
    private static readonly TimeSpan UsageLimit = TimeSpan.FromSeconds(5);

    public Task<ContainerResult<ImmutableArray<ObservedContainer>>> ListAsync(CancellationToken cancellationToken) =>
        CallAsync("list", async (client, token) =>
        {
            var found = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = OurLabel() }, token);
            return new ContainerResult<ImmutableArray<ObservedContainer>>(
                [.. found.Where(c => IsOurs(c.Labels) && c.Names?.Any(IsOurName) == true).Select(Observe).Where(c => !_readers.ContainsKey(c.Name))], null);
        }, cancellationToken);

    public Task<ContainerResult<ObservedContainer?>> FindAsync(string app, string service, CancellationToken cancellationToken) =>
        CallAsync("find", async (client, token) =>
        {
            var name = ContainerSpec.NameOf(_instance, app, service);
            // From the list, which tells no environment: a locked appliance that looks after its stopped apps must not read their secrets again.
            var named = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = Named(name) }, token);
            if (named.FirstOrDefault(c => c.Names?.Any(n => n.TrimStart('/') == name) == true) is not { } listed)
                return new ContainerResult<ObservedContainer?>(null, null);
            if (!IsOurs(listed.Labels)) return EngineErrors.Foreign(name);
            if (ExitCodeIn(listed) is { } known) return Observe(listed) with { ExitCode = known < 0 ? null : known };
            return await InspectAsync(client, name, token) is { } found ? Observe(found) : new ContainerResult<ObservedContainer?>(null, null);
        }, cancellationToken);

    public Task<ContainerResult<ImmutableArray<ContainerUsage>>> UsageAsync(string app, CancellationToken cancellationToken) =>
        CallAsync("usage", async (client, token) =>
        {
            var found = await client.Containers.ListContainersAsync(new ContainersListParameters { All = false, Filters = OurLabel() }, token);
            var running = found.Where(c => IsOurs(c.Labels) && c.Names?.Any(IsOurName) == true && Label(c.Labels, ContainerLabels.App) == app)
                .ToDictionary(c => c.ID, c => ServiceOf(c.Labels), StringComparer.Ordinal);
            var seen = running.Count == 0 ? [] : await _libpod!.StatsAsync(running.Keys, token);
            return new ContainerResult<ImmutableArray<ContainerUsage>>(
                [.. seen.Where(s => running.ContainsKey(s.ContainerID)).Select(s => new ContainerUsage(
                    running[s.ContainerID], (long)Math.Min(s.MemUsage, long.MaxValue), TimeSpan.FromMicroseconds(s.CPUNano / 1000)))], null);
        }, UsageLimit < _options.CallTimeout ? UsageLimit : _options.CallTimeout, cancellationToken);

    public async Task<ContainerFault?> StartAsync(string id, CancellationToken cancellationToken)
    {
        // Before its first packet. Without the table it would reach everything.
        if (await KeepRightsAsync(cancellationToken) is { Kind: ContainerFaultKind.FirewallMissing } open) return open;
        return await OnOursAsync(
            "start", id, (client, token) => client.Containers.StartContainerAsync(id, null, token), missing: EngineErrors.NotFound,
            _options.CallTimeout, cancellationToken);
    }

    public Task<ContainerFault?> StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        var parameters = new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) };
        return OnOursAsync(
            "stop", id, (client, token) => client.Containers.StopContainerAsync(id, parameters, token), missing: null, grace + _options.CallTimeout,
            cancellationToken);
    }

    public async Task<ContainerFault?> RemoveAsync(string id, CancellationToken cancellationToken)
    {
        if (await RemoveAsync(id, andAnonymousVolumes: false, cancellationToken) is { } fault) return fault;
        // Where this fails, the loop goes on.
        await KeepRightsAsync(cancellationToken);
        return null;
    }

    private async Task<ContainerFault?> RemoveAsync(string id, bool andAnonymousVolumes, CancellationToken cancellationToken)
    {
        var parameters = new ContainerRemoveParameters { Force = true, RemoveVolumes = andAnonymousVolumes };
        var fault = await OnOursAsync(
            "remove", id, (client, token) => client.Containers.RemoveContainerAsync(id, parameters, token), missing: null, _options.CallTimeout,
            cancellationToken);
        if (fault is null) ForgetSilent(id);
        return fault;
    }

    private static Dictionary<string, IDictionary<string, bool>> Named(string name) =>
        new() { ["name"] = new Dictionary<string, bool> { [$"^{Regex.Escape(name)}$"] = true } };

    /// <returns>-1 where there was no end yet; null where the list does not tell.</returns>
    private static int? ExitCodeIn(ContainerListResponse listed)
    {
        const string exited = "Exited (";
        if (listed.State is "running" or "created" or "configured") return -1;
        if (listed.Status?.StartsWith(exited, StringComparison.Ordinal) != true) return null;
        var end = listed.Status.IndexOf(')', StringComparison.Ordinal);
        return end > 0 && int.TryParse(listed.Status.AsSpan(exited.Length, end - exited.Length), CultureInfo.InvariantCulture, out var code) ? code : null;
    }

    private ObservedContainer Observe(ContainerListResponse found)
    {
        var app = Label(found.Labels, ContainerLabels.App);
        return new(
            found.ID, found.Names?.FirstOrDefault()?.TrimStart('/') ?? "", app, ServiceOf(found.Labels), Label(found.Labels, ContainerLabels.Spec),
            found.State == "running", null)
        {
            Address = found.State == "running" ? AddressIn(found.NetworkSettings?.Networks, app) : null,
            FixedAddress = FixedAddressIn(found.Labels),
            Rights = NetworkRights.Parse(Label(found.Labels, ContainerLabels.Rights)),
        };
    }

    private ObservedContainer Observe(ContainerInspectResponse found)
    {
        var labels = found.Config?.Labels;
        var app = Label(labels, ContainerLabels.App);
        return new(
            found.ID, found.Name?.TrimStart('/') ?? "", app, ServiceOf(labels), Label(labels, ContainerLabels.Spec), found.State?.Running == true,
            found.State is { Status: "exited" or "stopped" } state ? (int)state.ExitCode : null)
        {
            Address = found.State?.Running == true ? AddressIn(found.NetworkSettings?.Networks, app) : null,
            FixedAddress = FixedAddressIn(labels),
            Rights = NetworkRights.Parse(Label(labels, ContainerLabels.Rights)),
        };
    }

    private static string? FixedAddressIn(IDictionary<string, string>? labels) =>
        IPAddress.TryParse(Label(labels, ContainerLabels.Address), out var address) ? address.ToString() : null;

    private string? AddressIn(IDictionary<string, EndpointSettings>? networks, string app) =>
        networks is not null && networks.TryGetValue(ContainerSpec.NameOf(_instance, app), out var network) && network?.IPAddress is { Length: > 0 } address
            ? address : null;
}
