using Piccolo.Rig.Net;


namespace Piccolo.Rig.Stack;

/// <summary>The stack as benches and chaos want it: claimed, unlocked, with the sample app on the internet.</summary>
public sealed partial class DemoStack
{
    private static readonly TimeSpan WorldLimit = TimeSpan.FromMinutes(2);

    private DateTimeOffset _configured;

    /// <summary>Claims and unlocks the appliance, installs the sample app and waits until strangers reach it through <paramref name="endpoint"/>.</summary>
    public async Task OpenToTheWorldAsync(Uri endpoint)
    {
        await Api.SetUpAsync(DemoEndpoints.Password);
        await Api.UnlockAsync(DemoEndpoints.Password);
        await Api.TakeTokenAsync("stack");
        await ConfigureRemoteAsync(endpoint);
        await Api.InstallAsync(Manifests.Web(Image));
        foreach (var host in (string[])["web.home.test", DemoEndpoints.PortalHost]) await UntilAnsweredAsync(host, WorldLimit);
        await new Observer(TimeProvider.System).UntilAsync(WorldLimit, async cancellationToken =>
        {
            using var certificate = await Internet.PeekCertificateAsync("raw.home.test", cancellationToken);
            return certificate.Subject;
        }, () => Diagnosis.ExplainAsync(Api));
    }

    public Task ConfigureRemoteAsync(Uri endpoint, string portal = DemoEndpoints.PortalHost)
    {
        _configured = TimeProvider.System.GetUtcNow();
        return Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = endpoint.ToString(),
            device_secret = DeviceSecret,
            solver = "http-01",
            tld = DemoEndpoints.Domain,
            portal_hostname = portal,
        });
    }

    /// <summary>Turns the relay's fault switches; JSON as its control port takes it.</summary>
    public async Task SetRelayFaultsAsync(string json)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        using var answer = await _relay.PostAsync(new Uri($"http://127.0.0.1:{_relayControl}/faults"), content);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Ends the relay as a crash would.</summary>
    public ValueTask KillRelayAsync() => Relay.DisposeAsync();

    /// <summary>Kills the appliance as a power cut would and starts it again with the same state: it is locked then.</summary>
    public async Task KillAndRestartApplianceAsync()
    {
        var killed = Appliance;
        await killed.KillAsync();
        _parts.Remove(killed);
        await StartApplianceAsync(DemoBreak.None);
    }

    /// <summary>Starts the relay again; it listens when this returns.</summary>
    public Task RestartRelayAsync() => StartRelayAsync();

    /// <summary>Where the containers' ports are published on this machine: the listeners <c>web</c> and <c>raw</c>.</summary>
    public async Task<(int Web, int Raw)> GuardPortsAsync()
    {
        var services = (await Api.GetAsync("/api/v1/apps/web"))["data"]!["services"]!.AsArray();
        return (Port("web"), Port("raw"));

        int Port(string name) => (int)services.Single(s => (string?)s!["name"] == name)!["host_port"]!;
    }

    /// <summary>Waits until the tunnel runs through a proxy, and strangers with it.</summary>
    public async Task UntilServedByAsync(TcpProxy proxy)
    {
        await new Observer(TimeProvider.System).UntilAsync(WorldLimit, async _ =>
        {
            var status = await Api.GetAsync("/api/v1/remote/status");
            // The session of before serves until there is another: only a handshake since says that there is.
            var isNew = status["last_handshake"] is { } at && (DateTimeOffset)at > _configured;
            return isNew && proxy.Accepted > 0 && (string?)status["tunnel"]!["state"] == "online" && (int)status["tunnel"]!["sessions"]! == 1 ? status : null;
        }, () => Diagnosis.ExplainAsync(Api));
        await UntilAnsweredAsync("web.home.test", WorldLimit);
    }

    private Task<string> UntilAnsweredAsync(string host, TimeSpan limit) => new Observer(TimeProvider.System).UntilAsync(limit, async cancellationToken =>
    {
        using var client = Internet.NewClient();
        using var response = await client.GetAsync(new Uri($"https://{host}/"), cancellationToken);
        return response.IsSuccessStatusCode ? host : null;
    }, () => Diagnosis.ExplainAsync(Api));
}
