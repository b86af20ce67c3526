using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo.Chaos;

/// <summary>
/// <c>./dev chaos apps</c>: the daemon is killed at random moments of everything that is done with an app of two services and a database. After each kill the
/// app must come back, with every acknowledged row, under the secret of its first day.
/// </summary>
internal sealed class AppKills : IAsyncDisposable
{
    public const string Usage = """
        usage: ./dev chaos apps [--kills N] [--seed N]

        Installs an app of a web service and a PostgreSQL on a sealed volume, and kills the daemon N times (default
        30) with SIGKILL at random moments of: an install of a changed manifest, a stop, a start, a removal, an
        installation after a removal, a lock, an unlock. After each: the daemon starts, is unlocked, the app runs,
        every row that was ever acknowledged is there. Needs root. Prints the seed; the same seed takes the same
        moments. Exits 0 only when nothing was lost and, after a removal with its data, nothing is left.
        """;

    private const int LongestDelayMilliseconds = 2500;
    private const string App = "/api/v1/apps/notes";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly string _folder;
    private readonly PodmanServer _engine;
    private readonly Random _random;
    private readonly HttpClient _http = new(new SocketsHttpHandler()) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly List<string> _acknowledged = [];
    private readonly int _port = LoopbackPorts.Free(1)[0];
    private ApplianceProcess _appliance = null!;
    private int _revision;

    private AppKills(string folder, PodmanServer engine, int seed)
    {
#pragma warning disable CA5394 // moments, not secrets
        (_folder, _engine, _random) = (folder, engine, new Random(seed));
#pragma warning restore CA5394
    }

    private string StateFolder => Path.Combine(_folder, "state");

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var (kills, seed) = (30, Environment.ProcessId);
        for (var i = 0; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return Unknown();
            if (args[i] == "--kills") kills = number;
            else if (args[i] == "--seed") seed = number;
            else return Unknown();
        }
        var timeline = new Timeline(Console.Out);
        timeline.Print($"seed {seed}");
        var folder = Path.GetFullPath(Path.Combine("artifacts", "chaos-apps"));
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        await using var engine = await PodmanServer.StartAsync();
        await SampleImage.ImportAsync(engine);
        await PostgresImage.ImportAsync(engine);
        await using var run = new AppKills(folder, engine, seed);
        try
        {
            await run.BeginAsync();
            timeline.Print("the app runs");
            for (var n = 1; n <= kills; n++) timeline.Print($"OK {n}: {await run.KillOnceAsync(n)}");
            await run.PurgeAsync();
            Console.WriteLine($"CHAOS apps kills={kills} rows={run._acknowledged.Count} lost=0 left_after_purge=0");
            return 0;
        }
        catch (Exception e) when (e is DemoFailedException or ApplianceRefusedException or InvalidOperationException or HttpRequestException or IOException)
        {
            timeline.Print($"FAILED {e.Message} The log is {run._appliance?.LogFile}.");
            return 1;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_appliance is not null) await _appliance.DisposeAsync();
    }

    private static int Unknown()
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    private async Task BeginAsync()
    {
        Directory.CreateDirectory(StateFolder);
        await StartAsync();
        await _appliance.Api.SetUpAsync(DemoEndpoints.Password);
        await UnlockAsync();
        await InstallAsync();
        await WriteAsync("first");
    }

    /// <returns>What was under way, and for how long.</returns>
    private async Task<string> KillOnceAsync(int number)
    {
        (string Name, Func<Task> Act)[] acts =
        [
            ("an install of a changed manifest", () => { _revision++; return InstallAsync(); }),
            ("a stop", () => _appliance.Api.PostAsync($"{App}/stop")),
            ("a start after a stop", async () => { await _appliance.Api.PostAsync($"{App}/stop"); await _appliance.Api.PostAsync($"{App}/start"); }),
            ("a removal", () => _appliance.Api.RemoveAsync("notes")),
            ("an installation after a removal", async () => { await _appliance.Api.RemoveAsync("notes"); await InstallAsync(); }),
            ("a lock", () => _appliance.Api.PostAsync("/api/v1/crypto/lock")),
            ("an unlock", async () => { await _appliance.LockAsync(); await UnlockAsync(); }),
        ];
#pragma warning disable CA5394
        var (name, act) = acts[number % acts.Length];
        var delay = TimeSpan.FromMilliseconds(_random.Next(LongestDelayMilliseconds));
#pragma warning restore CA5394
        var acting = act();
        await Task.Delay(delay, TimeProvider.System);
        await _appliance.KillAsync();
        // Cut off by the kill, or answered before it.
        await acting.ContinueWith(_ => { }, TaskScheduler.Default);
        var began = Stopwatch.GetTimestamp();
        await StartAsync();
        await UnlockAsync();
        // What the kill left of the wish is the owner's to repeat.
        await InstallAsync();
        await _appliance.Api.PostAsync($"{App}/start");
        await CompareAsync();
        await WriteAsync($"after kill {number}");
        return string.Create(CultureInfo.InvariantCulture,
            $"{name}, killed after {delay.TotalSeconds:0.00} s; {_acknowledged.Count} rows, back after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    private async Task StartAsync() => _appliance = await ApplianceProcess.StartAsync(
        StateFolder, Path.Combine(_folder, "appliance.log"), _port, new Dictionary<string, string> { ["Piccolo:Containers:Socket"] = _engine.SocketPath });

    private async Task UnlockAsync()
    {
        await _appliance.Api.UnlockAsync(DemoEndpoints.Password);
        await _appliance.Api.TakeTokenAsync("chaos");
    }

    private Task<JsonNode> InstallAsync()
    {
        const string variable = "NOTES_DB_HOST: db";
        var manifest = Manifests.Notes(SampleImage.Name, PostgresImage.Name);
        return _appliance.Api.InstallAsync(manifest.Replace(variable, $"REVISION: \"{_revision}\"\n      {variable}", StringComparison.Ordinal));
    }

    private Task WriteAsync(string text) => UntilAsync(async () =>
    {
        // Sent again where no answer came: then the row may be there twice, and is counted by its text.
        using var response = await _http.PostAsync(await NotesAsync(), new StringContent(text, Encoding.UTF8, "text/plain"));
        if (!response.IsSuccessStatusCode) return $"POST answered {(int)response.StatusCode}";
        _acknowledged.Add(text);
        return null;
    });

    private Task CompareAsync() => UntilAsync(async () =>
    {
        using var response = await _http.GetAsync(await NotesAsync());
        if (!response.IsSuccessStatusCode) return $"GET answered {(int)response.StatusCode}";
        var rows = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray().Select(n => (string)n!).ToHashSet(StringComparer.Ordinal);
        var lost = _acknowledged.Where(text => !rows.Contains(text)).ToList();
        return lost.Count == 0 ? null : throw new DemoFailedException($"Lost: {string.Join(", ", lost)}.");
    });

    /// <summary>The app's port on the LAN, which it keeps as long as it is installed.</summary>
    private async Task<Uri> NotesAsync()
    {
        var app = await _appliance.Api.GetAsync(App);
        var listener = app["data"]!["services"]!.AsArray().Single()!;
        return new Uri($"http://127.0.0.1:{(int)listener["public_port"]!}/notes");
    }

    private async Task UntilAsync(Func<Task<string?>> attempt)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            string? problem;
            try
            {
                problem = await attempt();
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                problem = e.Message;
            }
            if (problem is null) return;
            if (Stopwatch.GetElapsedTime(began) > Patience)
                throw new DemoFailedException($"{problem} for {Patience.TotalSeconds:0} s. The app: {(await _appliance.Api.GetAsync(App)).ToJsonString()}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private async Task PurgeAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"{App}?purge=true");
        using var response = await _appliance.Api.SendRawAsync(request);
        response.EnsureSuccessStatusCode();
        await UntilAsync(async () =>
        {
            var containers = await _engine.RunAsync(["ps", "--all", "--quiet"]);
            if (containers.Trim().Length > 0) return "containers are left after the purge";
            var volumes = Path.Combine(StateFolder, "volumes");
            return Directory.Exists(volumes) && Directory.EnumerateFileSystemEntries(volumes).Any() ? "volumes are left after the purge" : null;
        });
        var mounts = File.ReadLines("/proc/self/mountinfo").Count(line => line.Contains(StateFolder, StringComparison.Ordinal));
        if (mounts > 0) throw new DemoFailedException($"{mounts} mounts are left after the purge.");
    }
}
