using System.Diagnostics;
using System.Globalization;
using System.Net;
using Piccolo.Rig;
using Piccolo.Rig.Load;

namespace Piccolo.Bench;

/// <summary>
/// <c>./dev bench vault</c>: what an unlock takes, alone and while others guess; what a commit takes; whether readiness answers all the while.
/// </summary>
public static class VaultBench
{
    internal const string Password = "correct horse battery staple";

    private const int Guesses = 100;
    private const int DefaultUnlocks = 30;
    private const double OwnerBar = 2.5;
    private const double ReadyBarMilliseconds = 5;

    // The library holds the address space while the kernel clears its memory: ADR 0021.
    private const double ReadyWhileCheckingBarMilliseconds = 150;
    private static readonly TimeSpan IdleProbe = TimeSpan.FromSeconds(10);
    private static readonly string[] Guessers = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];

    // What an appliance has, not the tests' cheapest.
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Piccolo:Vault:Kdf:MemoryMiB"] = "256",
        ["Piccolo:Vault:Kdf:Iterations"] = "3",
        ["Piccolo:Containers:Socket"] = "",
    };

    /// <param name="args"><c>--unlocks N</c>: how often the owner unlocks in each part (default 30).</param>
    /// <returns>0 when every bar holds, else 1; 2 for options that are not known.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (Unlocks(args) is not { } unlocks) return 2;
        var folder = Directory.CreateTempSubdirectory("piccolo-bench-");
        try
        {
            return await MeasureAsync(folder, unlocks);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(DirectoryInfo folder, int unlocks)
    {
        var report = new BenchReport("vault", Console.Out);
        var port = LoopbackPorts.Free(1)[0];
        await using var appliance = await ApplianceProcess.StartAsync(folder.CreateSubdirectory("state").FullName,
            Path.Combine(folder.FullName, "appliance.log"), port, Settings);
        await appliance.Api.SetUpAsync(Password);
        await appliance.Api.UnlockAsync(Password);
        using var owner = new SourceClient(appliance.Api.BaseAddress, IPAddress.Loopback);
        await using var probe = ProbeProcess.Start(folder.FullName, port);
        // What the machine itself makes of it; the first half is the probe's and the server's own warming up, and counts nowhere.
        await Task.Delay(IdleProbe, TimeProvider.System);
        var idle = Stopwatch.GetTimestamp();
        await Task.Delay(IdleProbe, TimeProvider.System);
        var unlocking = Stopwatch.GetTimestamp();
        var alone = await UnlockAsync(owner, unlocks);
        report.Figure("unlock_p50", Samples.Percentile(alone, 0.5), "ms");
        report.Figure("unlock_p95", Samples.Percentile(alone, 0.95), "ms");

        var guessed = Stopwatch.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(alone.Average() * unlocks / (Guesses / Guessers.Length));
        var guessing = Task.WhenAll(Guessers.Select(address => GuessAsync(appliance.Api.BaseAddress, address, pause)));
        var attacked = await UnlockAsync(owner, unlocks);
        var statuses = (await guessing).SelectMany(s => s).ToList();
        report.Figure("unlock_p50_while_guessed", Samples.Percentile(attacked, 0.5), "ms");
        report.Figure("unlock_p95_while_guessed", Samples.Percentile(attacked, 0.95), "ms");
        report.Figure("guesses_evaluated", statuses.Count(s => s == 401), $" of {statuses.Count}");
        report.AtMost("owner_unlock_p95_ratio", Samples.Percentile(attacked, 0.95) / Samples.Percentile(alone, 0.95), "x", OwnerBar);

        var storing = Stopwatch.GetTimestamp();
        var (commits, total) = await Task.Run(() => StoreLoad.RunAsync(folder.CreateSubdirectory("store").FullName));
        report.Figure("store_commits", commits.Count / total.TotalSeconds, "/s");
        report.Figure("store_commit_p99", Samples.Percentile(commits, 0.99), "ms");

        var samples = await probe.EndAsync();
        report.Figure("ready_p99_idle", P99(samples, idle, unlocking), "ms");
        report.Figure("ready_p99_unlocking", P99(samples, unlocking, guessed), "ms");
        report.Figure("ready_p99_guessed", P99(samples, guessed, storing), "ms");
        report.Figure("ready_p99_storing", P99(samples, storing, long.MaxValue), "ms");
        report.Figure("ready_answers", samples.Count(s => s.At >= unlocking), "");
        report.Below("ready_p99", P99([.. samples.Where(s => s.At < unlocking || s.At >= storing)], idle, long.MaxValue), "ms", ReadyBarMilliseconds);
        report.Below("ready_p99_checking", P99(samples, unlocking, storing), "ms", ReadyWhileCheckingBarMilliseconds);
        await report.WriteAsync(string.Create(CultureInfo.InvariantCulture,
            $"`./dev bench vault`: the appliance as a process, Argon2id with 256 MiB and 3 passes. {unlocks} unlocks alone, then as many while "
            + $"{Guesses} wrong passwords arrive from {Guessers.Length} other addresses. {StoreLoad.Commits} commits of one row each over "
            + $"{StoreLoad.Rows} sealed rows, in the benchmark's own process. Readiness is asked every 10 ms throughout, by a process of its own that "
            + $"counts from when it was due to ask."));
        return report.IsShort ? 1 : 0;
    }

    private static async Task<List<double>> UnlockAsync(SourceClient owner, int times)
    {
        var took = new List<double>(times);
        for (var i = 0; i < times; i++)
        {
            var (status, milliseconds) = await owner.UnlockAsync(Password);
            if (status != 200) throw new InvalidOperationException($"The owner's unlock was answered {status}.");
            took.Add(milliseconds);
        }
        return took;
    }

    /// <summary>One address' share of the guesses, spread over the owner's run; it cares for no Retry-After.</summary>
    private static async Task<List<int>> GuessAsync(Uri address, string from, TimeSpan pause)
    {
        using var guesser = new SourceClient(address, IPAddress.Parse(from));
        var statuses = new List<int>();
        for (var i = 0; i < Guesses / Guessers.Length; i++)
        {
            statuses.Add((await guesser.UnlockAsync($"guess number {i} from {from}")).Status);
            await Task.Delay(pause, TimeProvider.System);
        }
        return statuses;
    }

    private static double P99(IEnumerable<ReadyProbe.Sample> samples, long from, long to) =>
        Samples.Percentile([.. samples.Where(s => s.At >= from && s.At < to).Select(s => s.Milliseconds)], 0.99);

    private static int? Unlocks(string[] args)
    {
        if (args is []) return DefaultUnlocks;
        if (args is ["--unlocks", var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var unlocks)
            && unlocks is >= 1 and <= 10_000)
            return unlocks;
        Console.Error.WriteLine("usage: ./dev bench vault [--unlocks N]");
        return null;
    }
}
