using System.Globalization;
using Piccolo.Rig;
using Piccolo.Rig.Podman;

namespace Piccolo.Bench;

/// <summary>
/// <c>./dev bench apps</c>: what the appliance makes of many apps of two services: its memory, the price of one more app, an install beside the engine's own
/// commands, and how soon after an unlock all of them run.
/// </summary>
public static class AppsBench
{
    private const string Usage = "usage: ./dev bench apps [--apps N] [--rounds N]";
    private const int FewApps = 5;
    private const int StartedApps = 10;
    private const double ResidentBar = 160;
    private const double OneMoreBar = 1.3;
    private const double BesideEngineBar = 1.25;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(60);

    private static readonly Dictionary<string, string> Settings = new()
    {
        // A lease of the rig has room for 32 listeners.
        ["Piccolo:Ingress:GuardPorts"] = "15000-15999",
        ["Piccolo:Ingress:PublicPorts"] = "35000-35999",
    };

    /// <param name="args"><c>--apps N</c>: installed in all (default 50). <c>--rounds N</c>: apps per figure (default 5).</param>
    /// <returns>0 when every bar holds, else 1; 2 for options that are not known.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (Options(args) is not var (apps, rounds))
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }
        var folder = Directory.CreateTempSubdirectory("piccolo-bench-");
        try
        {
            return await MeasureAsync(folder, apps, rounds);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(DirectoryInfo folder, int apps, int rounds)
    {
        var report = new BenchReport("apps", Console.Out);
        await using var podman = await PodmanServer.StartAsync();
        await SmallImage.ImportAsync(podman);
        var settings = new Dictionary<string, string>(Settings) { ["Piccolo:Containers:Socket"] = podman.SocketPath };
        var port = LoopbackPorts.Free(1)[0];
        await using var appliance = await ApplianceProcess.StartAsync(
            folder.CreateSubdirectory("state").FullName, Path.Combine(folder.FullName, "appliance.log"), port, settings);
        await appliance.Api.SetUpAsync(VaultBench.Password);
        await appliance.Api.UnlockAsync(VaultBench.Password);
        await appliance.Api.TakeTokenAsync("bench");
        var watch = new AppWatch(appliance.Api);

        var engine = new EngineInstall(podman);
        await engine.InstallAsync("warm");
        for (var n = 0; n < FewApps; n++) await watch.InstallAsync($"few{n}");
        List<double> sixth = [], plain = [];
        for (var n = 0; n < rounds; n++)
        {
            // In turns, so that both meet the same machine.
            plain.Add(await engine.InstallAsync($"plain{n}"));
            sixth.Add(await watch.InstallAsync("sixth"));
            await watch.RemoveAsync("sixth");
        }
        report.Figure("install_plain_podman", Estimate.Of(plain), "s");
        report.Figure("install_6th", Estimate.Of(sixth), "s");
        report.AtMost("install_beside_podman", sixth.Average() / plain.Average(), "x", BesideEngineBar);

        for (var n = FewApps; n < apps; n++) await watch.InstallAsync($"many{n}");
        List<double> last = [];
        for (var n = 0; n < rounds; n++)
        {
            last.Add(await watch.InstallAsync("last"));
            await watch.RemoveAsync("last");
        }
        report.Figure($"install_{apps + 1}th", Estimate.Of(last), "s");
        report.AtMost("one_more_app", last.Average() / sixth.Average(), "x", OneMoreBar);

        await Task.Delay(Settle, TimeProvider.System);
        var memory = await ProcessMemory.OfAsync(appliance.Id);
        report.AtMost("rss", memory.Resident, "MiB", ResidentBar);
        report.Figure("anonymous", memory.Anonymous, "MiB");

        foreach (var app in (await watch.NamesAsync()).Skip(StartedApps).ToList()) await watch.RemoveAsync(app);
        await MeasureUnlockAsync(report, appliance, watch, podman);
        await report.WriteAsync(string.Create(CultureInfo.InvariantCulture,
            $"`./dev bench apps`: the appliance as a process with {apps} apps of two services, on a real Podman, with a small image that is there already. "
            + $"An install is timed from the request until the app is `running`; plain Podman makes a network and both containers and starts them. "
            + $"{rounds} of each in turns. Memory is read {Settle.TotalSeconds:0} s after the last change. "
            + $"The unlock is timed until all of {StartedApps} apps run."));
        return report.IsShort ? 1 : 0;
    }

    private static async Task MeasureUnlockAsync(BenchReport report, ApplianceProcess appliance, AppWatch watch, PodmanServer podman)
    {
        var names = await watch.NamesAsync();
        await appliance.LockAsync();
        var began = TimeProvider.System.GetTimestamp();
        await appliance.Api.UnlockAsync(VaultBench.Password);
        foreach (var app in names) await watch.UntilAsync(app, "running");
        report.Figure($"unlock_to_{names.Count}_running", TimeProvider.System.GetElapsedTime(began).TotalSeconds, "s");

        var containers = (await podman.RunAsync(["ps", "--quiet", "--filter", "label=io.piccolo.app"])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await podman.RunAsync(["stop", "--time", "0", .. containers]);
        began = TimeProvider.System.GetTimestamp();
        await podman.RunAsync(["start", .. containers]);
        report.Figure($"podman_start_of_{containers.Length}", TimeProvider.System.GetElapsedTime(began).TotalSeconds, "s");
    }

    private static (int Apps, int Rounds)? Options(string[] args)
    {
        var (apps, rounds) = (50, 5);
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
            if (args[i] == "--apps" && number is >= StartedApps and <= 150) apps = number;
            else if (args[i] == "--rounds" && number is >= 2 and <= 50) rounds = number;
            else return null;
        }
        return (apps, rounds);
    }
}
