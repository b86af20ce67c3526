using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Piccolo.Rig;

namespace Piccolo.Demo.Staging;

/// <summary>One appliance with a state of its own, from claim to a certificate that was seen from outside.</summary>
internal sealed class StagingRun(StagingOptions options, string folder, Timeline timeline)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public async Task RunAsync()
    {
        var secret = (await File.ReadAllTextAsync(options.SecretFile)).Trim();
        timeline.Print($"certificate authority {options.Directory}; state in {folder}, deleted at the end");
        await using var appliance = await timeline.StepAsync("appliance ready", StartAsync);
        var api = appliance.Api;
        await timeline.StepAsync("claimed and unlocked", async () =>
        {
            var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(24));
            await api.SetUpAsync(password);
            await api.UnlockAsync(password);
            await api.TakeTokenAsync("verify-staging");
        });
        await api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = options.Relay.ToString(),
            device_secret = secret,
            solver = "http-01",
            tld = options.Domain,
            portal_hostname = options.Portal,
        });
        await timeline.StepAsync("the relay accepted this device",
            () => UntilAsync(api, s => (string?)s["tunnel"]!["state"] == "online" && Array(s["tunnel"]!["hostnames"]).Contains(options.Portal)));
        await PrintChecksAsync(api);
        var first = await timeline.StepAsync($"certificate issued for {options.Portal}", () => UntilAsync(api, s => IsIssued(s, null)));
        var shown = await timeline.StepAsync("reached from outside under that certificate", () => UntilAsync(api, IsReached));
        timeline.Print($"STAGING OK {Facts(Portal(shown))}");
        if (!options.Renew) return;
        var serial = (string?)Portal(first)["serial"];
        await api.PostAsync("/api/v1/remote/certificates/portal/renew");
        var second = await timeline.StepAsync("certificate renewed", () => UntilAsync(api, s => IsIssued(s, serial)));
        timeline.Print($"RENEWAL OK {Facts(Portal(second))}");
    }

    private Task<ApplianceProcess> StartAsync() => ApplianceProcess.StartAsync(
        Path.Combine(folder, "state"), Path.Combine(folder, "appliance.log"), LoopbackPorts.Free(1)[0], new Dictionary<string, string>(options.Settings)
        {
            // No apps: certificates are what is tried.
            ["Piccolo:Containers:Socket"] = "",
        });

    private async Task PrintChecksAsync(ApplianceClient api)
    {
        var preflight = await api.PostAsync("/api/v1/remote/preflight");
        foreach (var check in preflight["checks"]!.AsArray())
        {
            var next = (string?)check!["next_step"] is { } step ? $" {step}" : "";
            timeline.Print($"CHECK {check["id"]} {check["host"]} {check["status"]}: {check["detail"]}{next}");
        }
    }

    /// <summary>Looks at the appliance's own status until it is as wanted; what the status says is wrong then is the reason.</summary>
    private async Task<JsonNode> UntilAsync(ApplianceClient api, Func<JsonNode, bool> isSo)
    {
        using var limit = new CancellationTokenSource(options.Patience);
        var told = "";
        while (true)
        {
            var status = await api.GetAsync("/api/v1/remote/status");
            if (isSo(status)) return status;
            var trouble = Trouble(status);
            if (trouble != told && trouble.Length > 0) timeline.Print($"waiting: {trouble}");
            told = trouble;
            await Task.Delay(LookEvery, TimeProvider.System, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (limit.IsCancellationRequested)
                throw new StagingFailedException(told.Length > 0 ? told
                    : $"Nothing failed, but it was not done within {options.Patience.TotalMinutes:0} minutes.");
        }
    }

    private string Trouble(JsonNode status)
    {
        var tunnel = status["tunnel"]!;
        if ((string?)tunnel["state"] != "online") return Join(tunnel["reason"], tunnel["next_step"]);
        if (Portal(status)["last_error"] is { } error)
            return $"{error["class"]} {error["code"]}: {Join(error["detail"], error["next_step"])} Next attempt {Portal(status)["next_attempt"]}.";
        return Reach(status) is { } reach && (string?)reach["result"] is not ("reachable" or "unknown") ? Join(reach["detail"], reach["next_step"]) : "";
    }

    private static bool IsIssued(JsonNode status, string? otherThan) =>
        (string?)Portal(status)["status"] == "ok" && (string?)Portal(status)["serial"] is { } serial && serial != otherThan;

    private bool IsReached(JsonNode status) => (bool?)Portal(status)["active"] == true && (string?)Reach(status)?["result"] == "reachable";

    private static JsonNode Portal(JsonNode status) => status["certificates"]!.AsArray().FirstOrDefault(c => (string?)c!["id"] == "portal") ?? new JsonObject();

    private JsonNode? Reach(JsonNode status) => status["names"]!.AsArray().FirstOrDefault(n => (string?)n!["name"] == options.Portal);

    private static string Facts(JsonNode certificate) =>
        $"name={certificate["domains"]![0]} issuer=\"{certificate["issuer"]}\" serial={certificate["serial"]} solver={certificate["solver"]} "
        + $"not_before={certificate["not_before"]} not_after={certificate["not_after"]} next_renewal={certificate["next_renewal"]}";

    private static IEnumerable<string?> Array(JsonNode? array) => array is null ? [] : array.AsArray().Select(n => (string?)n);

    private static string Join(JsonNode? detail, JsonNode? nextStep) => $"{detail} {nextStep}".Trim();
}
