using System.Text.Json.Nodes;

namespace Piccolo.Rig.Stack;

/// <summary>Asks the appliance itself why something is not reachable: its own status must name the cause.</summary>
internal static class Diagnosis
{
    public static async Task<string> ExplainAsync(ApplianceClient api)
    {
        try
        {
            var remote = await api.GetAsync("/api/v1/remote/status");
            var apps = (await api.GetAsync("/api/v1/apps"))["data"]!.AsArray();
            var causes = Tunnel(remote).Concat(Certificates(remote, "error")).Concat(apps.SelectMany(App)).ToList();
            foreach (var app in apps.Where(a => (string?)a!["status"] != "running")) causes.AddRange(await LogOfAsync(api, (string)app!["name"]!));
            // A certificate that is waited for is no cause while something else is.
            return Join(causes.Count > 0 ? causes : Certificates(remote, "pending"));
        }
        catch (Exception e) when (e is HttpRequestException or ApplianceRefusedException)
        {
            return $"The appliance cannot say why: {e.Message}";
        }
    }

    private static IEnumerable<string> Tunnel(JsonNode remote)
    {
        var tunnel = remote["tunnel"]!;
        if ((string?)tunnel["state"] != "online") yield return $"tunnel {tunnel["state"]}: {tunnel["reason"] ?? "no reason known"}";
    }

    private static IEnumerable<string> Certificates(JsonNode remote, string status) =>
        from certificate in remote["certificates"]!.AsArray()
        where (string?)certificate!["status"] == status
        let reason = (string?)certificate!["failure_reason"] ?? "no failure known"
        select $"certificate {certificate!["id"]} {status}: {reason.TrimEnd('.')}. {certificate["last_error"]?["next_step"]}".TrimEnd();

    private static IEnumerable<string> App(JsonNode? app)
    {
        if ((string?)app!["status"] != "running")
            yield return $"app {app["name"]} {app["status"]}: {app["status_detail"] ?? app["status_reason"] ?? "no reason known"}";
    }

    /// <summary>An app that does not run has most often printed why.</summary>
    private static async Task<IEnumerable<string>> LogOfAsync(ApplianceClient api, string app) =>
        (await api.GetAsync($"/api/v1/apps/{app}/logs?tail=5"))["lines"]!.AsArray().Select(l => $"{l!["service"]} printed: {l["text"]}");

    private static string Join(IEnumerable<string> causes) =>
        string.Join("; ", causes.DefaultIfEmpty("everything reports that it works, yet https://web.home.test does not answer"));
}
