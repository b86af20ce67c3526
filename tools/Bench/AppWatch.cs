using System.Text.Json.Nodes;
using Piccolo.Rig;
using Piccolo.Rig.Podman;

namespace Piccolo.Bench;

/// <summary>Installs and removes apps of two services by the API, and waits for what it shows.</summary>
internal sealed class AppWatch(ApplianceClient api)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <returns>Seconds until it ran.</returns>
    public async Task<double> InstallAsync(string app)
    {
        var began = TimeProvider.System.GetTimestamp();
        await api.InstallAsync(Manifest(app));
        await UntilAsync(app, "running");
        return TimeProvider.System.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Until nothing of it is left that the next install would meet.</summary>
    public async Task RemoveAsync(string app)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/apps/{app}?purge=true");
        using var response = await api.SendRawAsync(request);
        response.EnsureSuccessStatusCode();
    }

    public async Task<IReadOnlyList<string>> NamesAsync() => [.. (await api.GetAsync("/api/v1/apps"))["data"]!.AsArray().Select(a => (string)a!["name"]!)];

    public async Task UntilAsync(string app, string status)
    {
        var began = TimeProvider.System.GetTimestamp();
        JsonNode seen;
        while ((string?)(seen = await api.GetAsync($"/api/v1/apps/{app}"))["data"]!["app"]!["status"] != status)
        {
            if (TimeProvider.System.GetElapsedTime(began) > Limit) throw new TimeoutException($"{app} is not {status} within {Limit.TotalSeconds:0} s: {seen}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private static string Manifest(string app) => $"""
        name: {app}
        services:
          web:
            image: {SmallImage.Name}
          side:
            image: {SmallImage.Name}
        listeners:
          - name: {app}
            service: web
            guest_port: 8080
        """;
}

/// <summary>The same containers by the engine's own commands.</summary>
internal sealed class EngineInstall(PodmanServer podman)
{
    private static int _port = 18_000;

    /// <returns>Seconds until both were started. They are removed again outside of the time.</returns>
    public async Task<double> InstallAsync(string name)
    {
        var began = TimeProvider.System.GetTimestamp();
        await podman.RunAsync(["network", "create", name]);
        await podman.RunAsync(["create", "--name", $"{name}-web", "--network", name, "--publish", $"127.0.0.1:{_port++}:8080", SmallImage.Name]);
        await podman.RunAsync(["create", "--name", $"{name}-side", "--network", name, SmallImage.Name]);
        await podman.RunAsync(["start", $"{name}-web", $"{name}-side"]);
        var took = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        await podman.RunAsync(["rm", "--force", "--time", "0", $"{name}-web", $"{name}-side"]);
        await podman.RunAsync(["network", "rm", name]);
        return took;
    }
}
