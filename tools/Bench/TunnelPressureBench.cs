using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Piccolo.Rig;
using Piccolo.Rig.Load;
using Piccolo.Rig.Net;
using Piccolo.Rig.Stack;

namespace Piccolo.Bench;

/// <summary>
/// A relay at its limits: its one lane of 256 messages, ends of streams that it does not tell, and sessions that it keeps though they are dead.
/// </summary>
internal sealed class TunnelPressureBench(DemoStack stack, BenchReport report, Timeline timeline)
{
    private const int Visitors = 300;
    private const int Runs = 6;
    private const int SlowLine = 8_000_000;
    private const int LineBuffer = 64 * 1024;
    private const int Changes = 2;
    private const int NewUsers = 200;

    /// <summary>Between two runs of a load generator lies the start of a process; relay and kernel still see the visitors of before off.</summary>
    private static readonly TimeSpan BetweenRuns = TimeSpan.FromSeconds(0.3);

    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UploadTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UserLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BackLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>From one address, as an office is, and with a relay that tells nobody's end: each run leaves all its visitors behind.</summary>
    public async Task BurstsAsync(TunnelRoute route)
    {
        var refused = await RefusedAsync();
        await PressureLoad.BurstAsync(route, Visitors, RunTime);
        await stack.SetRelayFaultsAsync("""{"lose_disconnects":true}""");
        List<double> answered = [];
        for (var run = 0; run < Runs; run++)
        {
            await Task.Delay(BetweenRuns, TimeProvider.System);
            answered.Add(await PressureLoad.BurstAsync(route, Visitors, RunTime));
        }
        await stack.SetRelayFaultsAsync("""{"lose_disconnects":false}""");
        timeline.Print($"{Runs} bursts of {Visitors}: "
            + $"{string.Join(", ", answered.Select(a => (a / RunTime.TotalSeconds).ToString("0", CultureInfo.InvariantCulture)))} /s");
        timeline.Print($"refused by cause: {(await TunnelAsync())["streams_refused"]!.ToJsonString()}");
        report.AtLeast("burst_steady", answered.Min() / answered[0], "x", 0.8);
        report.AtMost("burst_refused", await RefusedAsync() - refused, "", 0);
    }

    public async Task UploadsAsync(TunnelRoute route)
    {
        var (cut, failed) = (0, 0);
        foreach (var uploads in (int[])[6, 12]) await RunAsync("loopback", uploads);
        await using var line = new TcpProxy(new IPEndPoint(IPAddress.Loopback, stack.RelayHubPort), LineBuffer) { BytesPerSecond = SlowLine };
        await stack.ConfigureRemoteAsync(new Uri($"wss://localhost:{line.Port}/connect"));
        await stack.UntilServedByAsync(line);
        var beside = await RunAsync("8 MB/s", 4);
        foreach (var uploads in (int[])[6, 12]) await RunAsync("8 MB/s", uploads);
        await stack.ConfigureRemoteAsync(stack.RelayHub);
        report.AtMost("uploads_cut", cut, "", 0);
        report.AtMost("short_beside_uploads_failed", failed, "", 0);
        report.AtMost("short_beside_uploads_p50", beside.MedianSeconds, " s", 0.5);

        async Task<UploadsResult> RunAsync(string way, int uploads)
        {
            var result = await PressureLoad.UploadsAsync(route, uploads, UploadTime);
            timeline.Print(string.Create(CultureInfo.InvariantCulture,
                $"{uploads} uploads, {way}: {result.Cut} cut, {result.Failed} of {result.Asked} short requests failed, p50 {result.MedianSeconds:0.000} s"));
            cut += result.Cut;
            failed += result.Failed;
            return result;
        }
    }

    /// <summary>The way to the relay dies without a word, after changes of names have made the session heavy.</summary>
    public async Task LossAsync(TunnelRoute route)
    {
        for (var change = 0; change < Changes; change++)
        {
            var portal = change % 2 == 0 ? "portal2.home.test" : DemoEndpoints.PortalHost;
            await stack.ConfigureRemoteAsync(stack.RelayHub, portal);
            await UntilAsync(tunnel => tunnel["hostnames"]!.AsArray().Any(name => (string?)name == portal) && (int)tunnel["sessions"]! == 1);
        }
        var before = (long)(await TunnelAsync())["reconnects"]!;
        await stack.SetRelayFaultsAsync("""{"strand_sessions":true}""");
        await UntilAsync(tunnel => (string?)tunnel["state"] == "online" && (long)tunnel["reconnects"]! > before);
        var served = 0;
        for (var user = 0; user < NewUsers; user++) served += await PressureLoad.AskAsync(route, UserLimit) is null ? 0 : 1;
        report.AtLeast("served_after_loss", served * 100.0 / NewUsers, "%", 95);
    }

    public async Task OutageAsync(TunnelRoute route)
    {
        await stack.KillRelayAsync();
        await Task.Delay(Outage, TimeProvider.System);
        await stack.RestartRelayAsync();
        var began = TimeProvider.System.GetTimestamp();
        while (await PressureLoad.AskAsync(route, UserLimit) is null && TimeProvider.System.GetElapsedTime(began) < BackLimit)
            await Task.Delay(Look, TimeProvider.System);
        report.AtMost("back_after_outage", TimeProvider.System.GetElapsedTime(began).TotalSeconds, " s", 3);
    }

    private async Task<JsonNode> TunnelAsync() => (await stack.Api.GetAsync("/api/v1/remote/status"))["tunnel"]!;

    private async Task<long> RefusedAsync() => (await TunnelAsync())["streams_refused"]!.AsObject().Sum(cause => (long)cause.Value!);

    private async Task UntilAsync(Func<JsonNode, bool> holds)
    {
        using var patience = new CancellationTokenSource(BackLimit, TimeProvider.System);
        while (!holds(await TunnelAsync())) await Task.Delay(Look, TimeProvider.System, patience.Token);
    }
}
