using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Piccolo.Rig;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo;

/// <summary>
/// The main job, driven from outside through the public API and the relay's public ports: claim, unlock, remote access, an app with the device's own
/// certificate, pass-through, a change of names under load, a follower.
/// </summary>
public sealed class DemoFlow(DemoStack stack, Timeline timeline, TimeSpan patience)
{
    private readonly Observer _observer = new(TimeProvider.System);
    private readonly ApplianceClient _api = stack.Api;

    public async Task RunAsync()
    {
        await timeline.StepAsync("claimed: POST /api/v1/crypto/setup", () => _api.SetUpAsync(DemoEndpoints.Password));
        var unlockedAt = timeline.Elapsed;
        await timeline.StepAsync("unlocked: POST /api/v1/crypto/unlock", () => _api.UnlockAsync(DemoEndpoints.Password));
        var token = await timeline.StepAsync("bearer token made: POST /api/v1/auth/tokens", () => _api.TakeTokenAsync("demo"));
        await stack.WriteEndpointsAsync(token);
        await timeline.StepAsync("remote access configured: POST /api/v1/remote/configure", ConfigureRemoteAsync);
        await timeline.StepAsync("sample app installed: POST /api/v1/apps", () => _api.InstallAsync(Manifests.Web(DemoStack.Image)));
        await ShowRemoteHttpsAsync(unlockedAt);
        await ShowPortalAsync();
        await ShowPassThroughAsync();
        await ShowHotUpdateAsync();
        await ShowFollowerAsync();
        await new DataFlow(stack, timeline, patience).RunAsync();
    }

    private Task ConfigureRemoteAsync() => _api.PostAsync("/api/v1/remote/configure", new
    {
        endpoint = stack.RelayHub.ToString(),
        device_secret = stack.DeviceSecret,
        solver = "http-01",
        tld = DemoEndpoints.Domain,
        portal_hostname = DemoEndpoints.PortalHost,
    });

    private async Task ShowRemoteHttpsAsync(TimeSpan unlockedAt)
    {
        var issuer = "";
        var echo = await _observer.UntilAsync(patience, async cancellationToken =>
        {
            using var client = stack.Internet.NewClient(leaf => issuer = leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: true));
            using var response = await client.GetAsync(new Uri("https://web.home.test/echo"), cancellationToken);
            return (int)response.StatusCode == 200 ? JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken)) : null;
        }, () => Diagnosis.ExplainAsync(_api));
        var client = Header(echo, "X-Forwarded-For");
        if (client != PublicInternet.StrangerAddress.ToString())
            throw new DemoFailedException($"The app was told the client is '{client}', but it is {PublicInternet.StrangerAddress}.");
        var total = (timeline.Elapsed - unlockedAt).TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);
        timeline.Print($"REMOTE HTTPS OK https://web.home.test status=200 issuer=\"{issuer}\" client_ip_seen={client} total={total}s");
    }

    private async Task ShowPortalAsync()
    {
        await _observer.UntilAsync(patience, async cancellationToken =>
        {
            using var client = stack.Internet.NewClient();
            using var response = await client.GetAsync(new Uri("https://portal.home.test/"), cancellationToken);
            return response.IsSuccessStatusCode ? response : null;
        }, () => Diagnosis.ExplainAsync(_api));
        timeline.Print("PORTAL OK https://portal.home.test status=200");
    }

    private async Task ShowPassThroughAsync()
    {
        using var web = stack.Internet.NewClient();
        var own = (await web.GetStringAsync(new Uri("https://web.home.test/fingerprint"))).Trim();
        var served = await _observer.UntilAsync(patience, async cancellationToken =>
        {
            using var certificate = await stack.Internet.PeekCertificateAsync("raw.home.test", cancellationToken);
            return certificate.GetCertHashString(HashAlgorithmName.SHA256);
        }, () => Diagnosis.ExplainAsync(_api));
        if (!string.Equals(Plain(own), served, StringComparison.OrdinalIgnoreCase))
            throw new DemoFailedException($"raw.home.test serves certificate {served}, but the app's own is {own}: something ended its TLS on the way.");
        timeline.Print($"PASSTHROUGH OK https://raw.home.test fingerprint={served}");
    }

    /// <summary>Adds and removes a second app while a download runs through the tunnel, slowly until both are done.</summary>
    private async Task ShowHotUpdateAsync()
    {
        const string added = "second.home.test";
        var namesChanged = new TaskCompletionSource();
        using var client = stack.Internet.NewClient();
        var uri = new Uri("https://web.home.test/download?mib=32");
        var whole = await SlowDownload.HashAsync(client, uri, Task.CompletedTask);
        var download = SlowDownload.HashAsync(client, uri, namesChanged.Task);
        await _api.InstallAsync(Manifests.Second(DemoStack.Image));
        await _observer.UntilAsync(patience, async _ => (await stack.RelayHostsAsync()).Contains(added) ? added : null,
            () => Task.FromResult($"The relay did not learn {added} within {patience.TotalSeconds:0} s."));
        await _observer.UntilAsync(patience, async cancellationToken =>
        {
            using var stranger = stack.Internet.NewClient();
            using var response = await stranger.GetAsync(new Uri($"https://{added}/"), cancellationToken);
            return response.IsSuccessStatusCode ? added : null;
        }, () => Diagnosis.ExplainAsync(_api));
        await _api.RemoveAsync("second");
        await _observer.UntilAsync(patience, async _ => (await stack.RelayHostsAsync()).Contains(added) ? null : added,
            () => Task.FromResult($"The relay still knows {added} after {patience.TotalSeconds:0} s."));
        if (download.IsCompleted) throw new DemoFailedException("The download ended before the names had changed, so nothing was shown.");
        namesChanged.SetResult();
        if (!(await download).SequenceEqual(whole)) throw new DemoFailedException("The download that ran while names changed is not intact.");
        timeline.Print($"HOTUPDATE OK added={added} removed={added} download=intact");
    }

    private async Task ShowFollowerAsync()
    {
        await stack.WriteRolesAsync("""{"app:web":{"role":"follower","leader":"https://10.0.0.2"}}""");
        await WaitForAsync("stopped", "tunnel", "The app did not stop, or its route did not become 'tunnel', after its follower event.");
        timeline.Print("FOLLOWER OK app=web state=stopped route=tunnel");
        await stack.WriteRolesAsync("{}");
        await WaitForAsync("running", "local", "The app did not start again after this node became its leader.");
        timeline.Print("LEADER AGAIN OK app=web state=running route=local");
    }

    private Task<JsonNode> WaitForAsync(string status, string mode, string sentence) => _observer.UntilAsync(patience, async _ =>
    {
        var app = await _api.GetAsync("/api/v1/apps/web");
        var observed = (string?)app["data"]!["app"]!["status"];
        var modes = app["data"]!["services"]!.AsArray().Select(s => (string?)s!["route"]!["mode"]).Distinct().ToList();
        return observed == status && modes is [{ } only] && only == mode ? app : null;
    }, () => Task.FromResult(sentence));

    private static string? Header(JsonNode echo, string name) =>
        echo["headers"]!.AsObject().FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value switch
        {
            JsonArray values => string.Join(", ", values.Select(v => (string?)v)),
            JsonValue value => (string?)value,
            _ => null,
        };

    private static string Plain(string fingerprint) => fingerprint.Replace(":", "", StringComparison.Ordinal);
}
