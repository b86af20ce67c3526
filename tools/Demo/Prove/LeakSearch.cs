using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Rig;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo.Prove;

/// <summary>One run of the proof over a started stack.</summary>
internal sealed class LeakSearch(DemoStack stack, string folder, string copy, Timeline timeline, TextWriter output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Of a volume: the export that takes it along is still at work when the lock comes.</summary>
    private const long VolumeBytes = 1L << 30;

    private readonly string _password = Secret("password");
    private readonly string _environment = Secret("environment");
    private readonly List<Canary> _canaries = [];
    private readonly StringBuilder _answers = new();
    private string _token = "";

    public async Task<int> RunAsync()
    {
        _canaries.AddRange([Canary.OfText("password", _password), Canary.OfText("app environment value", _environment),
            Canary.OfText("device secret", stack.DeviceSecret)]);
        await timeline.StepAsync("main flow with planted secrets", FlowAsync);
        await timeline.StepAsync("refusals collected", CollectRefusalsAsync);
        _canaries.AddRange(await OpenedState.ReadKeysAsync(stack.StateDirectory, copy, _password));
        var process = stack.Appliance.Id;
        // A search that cannot find anything would prove nothing.
        var before = Places.SearchMemory(process, _canaries).Select(l => l.Canary).ToHashSet(StringComparer.Ordinal);
        timeline.Print($"while unlocked, found in memory: {string.Join(", ", before.Order(StringComparer.Ordinal))}");
        var expected = _canaries.Select(c => c.Name)
            .Where(n => n.StartsWith("key ", StringComparison.Ordinal) || n.StartsWith("TLS key", StringComparison.Ordinal) || n == "device secret");
        if (expected.Except(before, StringComparer.Ordinal).ToList() is { Count: > 0 } unseen)
            throw new InvalidOperationException($"The search is blind: {string.Join(", ", unseen)} must be in memory while unlocked.");
        // The same holds for a core dump, which another tool writes.
        if (expected.Except((await SearchCoreAsync(process)).Select(l => l.Canary), StringComparer.Ordinal).ToList() is { Count: > 0 } undumped)
            throw new InvalidOperationException($"The core dump is blind: {string.Join(", ", undumped)} must be in it while unlocked.");
        await using var held = new HeldClients();
        await timeline.StepAsync("clients that keep connections, downloads and event streams open", () => HoldAsync(held));
        await timeline.StepAsync("locked: POST /api/v1/crypto/lock", LockAsync);
        var memory = Places.SearchMemory(process, _canaries);
        timeline.Print($"of {held.Count} clients that held on, {held.Ended} were cut off");
        return Report(SearchAll(process, memory, await SearchCoreAsync(process)));
    }

    private async Task FlowAsync()
    {
        var api = stack.Api;
        await api.SetUpAsync(_password);
        await api.UnlockAsync(_password);
        await UnlockByHttpsAsync();
        await PlantRecoveryWordsAsync();
        _canaries.Add(Canary.OfText("bearer token", _token = await api.TakeTokenAsync("prove")));
        await api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = stack.RelayHub.ToString(),
            device_secret = stack.DeviceSecret,
            solver = "http-01",
            tld = DemoEndpoints.Domain,
            portal_hostname = DemoEndpoints.PortalHost,
        });
        await api.InstallAsync($"{Manifests.Web(DemoStack.Image)}\nenvironment:\n  SECRET: {_environment}\n");
        await new Observer(TimeProvider.System).UntilAsync(Patience, async cancellationToken =>
        {
            using var client = stack.Internet.NewClient();
            using var response = await client.GetAsync(new Uri("https://web.home.test/env?name=SECRET"), cancellationToken);
            return (await response.Content.ReadAsStringAsync(cancellationToken)).Contains(_environment, StringComparison.Ordinal) ? response : null;
        }, () => Diagnosis.ExplainAsync(api));
    }

    /// <summary>The password crosses the TLS stack's buffers too.</summary>
    private async Task UnlockByHttpsAsync()
    {
        var fingerprint = (string)(await stack.Api.GetAsync("/version"))["device"]!["fingerprint_sha256"]!;
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate!.GetCertHashString(HashAlgorithmName.SHA256) == fingerprint.Replace(":", "", StringComparison.Ordinal) },
        });
        using var response = await client.PostAsJsonAsync(new Uri($"https://127.0.0.1:{stack.HttpsPort}/api/v1/crypto/unlock"), new { password = _password });
        if (!response.IsSuccessStatusCode) throw new DemoFailedException($"Unlocking by HTTPS failed: {(int)response.StatusCode}.");
    }

    /// <summary>Where the release has them.</summary>
    private async Task PlantRecoveryWordsAsync()
    {
        var csrf = (string)(await stack.Api.GetAsync("/api/v1/auth/csrf"))["token"]!;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/crypto/recovery-key/generate");
        request.Content = JsonContent.Create(new { password = _password });
        request.Headers.Add("X-CSRF-Token", csrf);
        using var response = await stack.Api.SendRawAsync(request);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            timeline.Print("recovery words: not in this release, not planted");
            return;
        }
        var words = JsonNode.Parse(await response.Content.ReadAsStringAsync())?["words"]?.AsArray().Select(w => (string)w!).ToList()
            ?? throw new DemoFailedException($"Recovery words were not given: {(int)response.StatusCode}.");
        // Any four in a row: whoever has those in order has found the phrase.
        _canaries.Add(Canary.OfText("recovery words", string.Join(' ', words)));
        _canaries.Add(Canary.OfText("recovery words, part", string.Join(' ', words.Take(4))));
    }

    /// <summary>The bodies of refused requests that carried secrets.</summary>
    private async Task CollectRefusalsAsync()
    {
        await SendAsync(HttpMethod.Post, "/api/v1/crypto/setup", JsonContent.Create(new { password = _password }));
        await SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", JsonContent.Create(new { password = _password + "!" }));
        await SendAsync(HttpMethod.Post, "/api/v1/crypto/unlock", new StringContent($"{{\"password\":\"{_password}\"", Encoding.UTF8, "application/json"));
        await SendAsync(HttpMethod.Post, "/api/v1/auth/login", JsonContent.Create(new { username = "nobody", password = _password }));
        await SendAsync(HttpMethod.Post, "/api/v1/remote/configure",
            JsonContent.Create(new { endpoint = "http://" + stack.DeviceSecret, device_secret = stack.DeviceSecret }));
        await SendAsync(HttpMethod.Post, "/api/v1/apps",
            new StringContent($"name: Web!\nimage: {DemoStack.Image}\nenvironment:\n  SECRET: [{_environment}]\n", Encoding.UTF8, "application/yaml"));
        foreach (var path in (string[])["/api/v1/remote/status", "/api/v1/apps/web", "/api/v1/services", "/api/v1/health/detail", "/api/v1/auth/tokens",
            "/api/v1/remote/certificates", "/metrics", "/version"])
            await SendAsync(HttpMethod.Get, path, null);
    }

    private async Task SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await stack.Api.SendRawAsync(request);
        // What the owner asked for and got is the owner's.
        if (response.IsSuccessStatusCode && !IsPublic(path)) return;
        _answers.AppendLine(await response.Content.ReadAsStringAsync());
    }

    private static bool IsPublic(string path) => path is "/version" or "/metrics" or "/api/v1/health/detail" or "/api/v1/crypto/status";

    /// <summary>Through the relay and from the LAN, to the app; and to the API, about an export that the lock has to end.</summary>
    private async Task HoldAsync(HeldClients held)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(stack.RootFile);
        foreach (var way in (PublicInternet[])[stack.Internet, new PublicInternet(new IPEndPoint(IPAddress.Loopback, stack.HttpsPort), roots)])
        {
            await held.AskAsync(way.NewClient(), new Uri("https://web.home.test/env?name=SECRET"));
            await held.ReadAsync(way.NewClient(), new Uri("https://web.home.test/download?mib=1024&kibps=64"));
        }
        var volume = Path.Combine(Directory.CreateDirectory(Path.Combine(stack.StateDirectory, "volumes")).FullName, "sparse");
        await using (var file = File.Create(volume)) file.SetLength(VolumeBytes);
        var job = (string)(await stack.Api.PostAsync("/api/v1/exports/full"))["id"]!;
        await held.ReadAsync(HeldClients.Script(stack.Api.BaseAddress, _token), new Uri($"/api/v1/jobs/{job}/events", UriKind.Relative));
    }

    private async Task LockAsync()
    {
        var (answer, silence) = await stack.Appliance.LockAsync();
        if ((string?)answer["message"] != "ok") throw new DemoFailedException($"The lock is not complete: {answer.ToJsonString()}");
        timeline.Print(string.Create(CultureInfo.InvariantCulture, $"answers again {silence.TotalSeconds:0.00} s after the lock's answer"));
        // Who asks with the token brings it.
        using var stranger = new ApplianceClient(stack.Api.BaseAddress);
        if (!(bool)(await stranger.GetAsync("/api/v1/crypto/status"))["locked"]!) throw new DemoFailedException("The appliance is not locked.");
        File.Delete(Path.Combine(stack.StateDirectory, "volumes", "sparse"));
    }

    private async Task<IReadOnlyList<Leak>> SearchCoreAsync(int process)
    {
        var core = Path.Combine(copy, "core");
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var bytes = await Places.DumpCoreAsync(process, core, limit.Token);
            timeline.Print(string.Create(CultureInfo.InvariantCulture, $"core dump of {bytes >> 20} MiB"));
            return [.. Places.SearchFile(core, _canaries).Select(l => l with { Place = "core dump" })];
        }
        finally
        {
            // Taken while unlocked it is full of secrets.
            File.Delete(core);
        }
    }

    private List<(string Place, List<Leak> Leaks)> SearchAll(int process, IReadOnlyList<Leak> memory, IReadOnlyList<Leak> core)
    {
        var places = new List<(string, List<Leak>)>();
        foreach (var file in Directory.EnumerateFiles(stack.StateDirectory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            Add(file, Places.SearchFile(file, _canaries));
        foreach (var log in Directory.EnumerateFiles(folder, "*.log").Order(StringComparer.Ordinal)) Add(log, Places.SearchFile(log, _canaries));
        Add("answers of the API", Places.Search("answers of the API", Encoding.UTF8.GetBytes(_answers.ToString()), _canaries));
        foreach (var name in (string[])["environ", "cmdline"])
            Add($"/proc/<pid>/{name}", Places.Search(name, File.ReadAllBytes($"/proc/{process}/{name}"), _canaries));
        Add("memory of the process", memory);
        Add("core dump", core);
        return places;

        void Add(string place, IEnumerable<Leak> leaks) => places.Add((place, [.. leaks]));
    }

    private int Report(List<(string Place, List<Leak> Leaks)> places)
    {
        foreach (var leak in places.SelectMany(p => p.Leaks)) timeline.Print($"LEAK {leak.Canary} (form {leak.Form}) in {leak.Place}");
        timeline.Print($"searched for: {string.Join(", ", _canaries.Select(c => c.Name))}");
        timeline.Print("not searched: the container engine's own storage, which keeps an app's environment in clear (docs/owner/security.md)");
        var leaking = places.Count(p => p.Leaks.Count > 0);
        output.WriteLine($"LEAKS {leaking} of {places.Count} places");
        return leaking == 0 ? 0 : 1;
    }

    private static string Secret(string kind) => $"canary-{kind}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";
}
