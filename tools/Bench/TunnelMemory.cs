using System.Diagnostics;
using System.Globalization;
using Piccolo.Rig;
using Piccolo.Rig.Load;
using Piccolo.Rig.Stack;

namespace Piccolo.Bench;

/// <summary>The appliance's memory with one app: while a portal polls, for as long as one likes, and once a load is over.</summary>
internal sealed class TunnelMemory(DemoStack stack, BenchReport report, Timeline timeline)
{
    private const double ResidentBar = 150;
    private const double AnonymousBar = 60;
    private const double AfterLoadBar = 160;
    private const double SpreadBar = 5;
    private const int BulkMiB = 256;
    private const int Bulks = 8;
    private const int Connections = 2_000;
    private const int AtOnce = 200;
    private const int Requests = 60_000;
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PrintEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(60);
    private static readonly string[] Polled = ["/api/v1/apps", "/api/v1/services", "/api/v1/remote/status", "/api/v1/remote/certificates"];

    /// <param name="minutes">Of polling that is measured, after one that is not.</param>
    public async Task MeasureAsync(int minutes, TunnelRoute passThrough, TunnelRoute terminated)
    {
        await PollAsync(Start);
        var samples = await PollAsync(TimeSpan.FromMinutes(minutes));
        var mean = samples.Average(s => s.Resident);
        report.AtMost("rss_one_app", mean, " MB", ResidentBar);
        report.AtMost("anonymous_one_app", samples.Average(s => s.Anonymous), " MB", AnonymousBar);
        report.AtMost($"rss_one_app_spread_{minutes}_min", samples.Max(s => Math.Abs(s.Resident - mean)) / mean * 100, "%", SpreadBar);

        report.Figure("rss_under_load", await LoadAsync(passThrough, terminated), " MB");
        await Task.Delay(Rest, TimeProvider.System);
        var after = await ProcessMemory.OfAsync(stack.Appliance.Id);
        report.AtMost("rss_after_load", after.Resident, " MB", AfterLoadBar);
        report.Figure("anonymous_after_load", after.Anonymous, " MB");
    }

    private async Task<List<ProcessMemory>> PollAsync(TimeSpan time)
    {
        List<ProcessMemory> samples = [];
        var began = Stopwatch.GetTimestamp();
        for (var polls = 0; Stopwatch.GetElapsedTime(began) < time; polls++)
        {
            await stack.Api.GetAsync(Polled[polls % Polled.Length]);
            if (Stopwatch.GetElapsedTime(began) >= SampleEvery * samples.Count) samples.Add(await ProcessMemory.OfAsync(stack.Appliance.Id));
            if (samples.Count % (PrintEvery / SampleEvery) == 1 && polls % (PrintEvery / PollEvery) == 0) Print("polled", samples[^1]);
            if (PollEvery * (polls + 1) - Stopwatch.GetElapsedTime(began) is var pause && pause > TimeSpan.Zero) await Task.Delay(pause, TimeProvider.System);
        }
        return samples;
    }

    /// <returns>The most that was seen.</returns>
    private async Task<double> LoadAsync(TunnelRoute passThrough, TunnelRoute terminated)
    {
        var most = 0.0;
        foreach (var route in (TunnelRoute[])[passThrough, terminated])
        {
            for (var i = 0; i < Bulks; i++) await SeenAsync(i % 2 == 0 ? TunnelLoad.DownloadAsync(route, BulkMiB) : TunnelLoad.UploadAsync(route, BulkMiB));
            await SeenAsync(TunnelLoad.ConnectAsync(route, Connections));
        }
        await SeenAsync(BurstsAsync());
        return most;

        async Task<LoadResult> BurstsAsync() => (await TunnelLoad.KeepAliveAsync(terminated, AtOnce, Requests, () => Task.FromResult(0))).Result;

        async Task SeenAsync(Task<LoadResult> load)
        {
            var failed = (await load).Failed;
            var now = await ProcessMemory.OfAsync(stack.Appliance.Id);
            most = Math.Max(most, now.Resident);
            Print(failed == 0 ? "loaded" : $"loaded, {failed} failed", now);
        }
    }

    private void Print(string what, ProcessMemory memory) =>
        timeline.Print(string.Create(CultureInfo.InvariantCulture, $"{what}: {memory.Resident:0} MB, {memory.Anonymous:0} MB of them anonymous"));
}
