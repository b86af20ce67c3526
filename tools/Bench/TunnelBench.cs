using System.Diagnostics;
using System.Globalization;
using System.Net;
using Piccolo.Rig;
using Piccolo.Rig.Load;
using Piccolo.Rig.Net;
using Piccolo.Rig.Stack;

namespace Piccolo.Bench;

/// <summary>
/// <c>./dev bench tunnel</c>: what the way through the relay costs the appliance, next to the same visitor straight at the app. CPU is the appliance's own;
/// wall-clock figures share the machine with visitor, relay and app.
/// </summary>
public static class TunnelBench
{
    private const int DefaultMiB = 200;
    private const int DefaultRounds = 3;
    private const int DefaultMinutes = 2;
    private const int Requests = 10_000;
    private const int NewConnections = 400;
    private const int FarMiB = 64;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan WarmUpStep = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WarmUpMost = TimeSpan.FromSeconds(30);

    /// <summary>Of a step's CPU. Below it the just-in-time compiler is done with what is measured.</summary>
    private const double JitAtRest = 0.02;

    private const double RoundTripSeconds = 0.1;

    // The relay takes 64 messages of at most 32 KiB before it has heard that one arrived.
    private const double WindowMiB = 2;

    /// <param name="args"><c>--mib N</c>, <c>--rounds N</c>, <c>--minutes N</c>, <c>--only
    /// memory|down|up|terminated|keepalive|small|connect|far|burst|uploads|loss|outage</c>, or several with commas (which writes no
    /// table).</param>
    /// <returns>0 when every bar holds, else 1; 2 for options that are not known.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (Parse(args) is not { } asked) return 2;
        var timeline = new Timeline(Console.Out);
        await using var stack = await DemoStack.StartAsync(Path.GetFullPath(Path.Combine("artifacts", "bench-tunnel")), DemoBreak.None, timeline);
        await stack.OpenToTheWorldAsync(stack.RelayHub);
        timeline.Print("remote HTTPS answers");
        return await new Run(stack, asked, timeline).MeasureAsync();
    }

    private static Asked? Parse(string[] args)
    {
        var asked = new Asked(DefaultMiB, DefaultRounds, DefaultMinutes, null);
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            var isNumber = int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= 1024;
            if (args[i] == "--mib" && isNumber) asked = asked with { MiB = value };
            else if (args[i] == "--rounds" && isNumber) asked = asked with { Rounds = value };
            else if (args[i] == "--minutes" && isNumber) asked = asked with { Minutes = value };
            else if (args[i] == "--only") asked = asked with { Only = args[i + 1] };
            else return null;
        }
        return args.Length % 2 == 0 ? asked : null;
    }

    private sealed record Asked(int MiB, int Rounds, int Minutes, string? Only)
    {
        public bool Wants(string part) => Only is null || Only.Split(',').Contains(part);
    }

    private sealed class Run(DemoStack stack, Asked asked, Timeline timeline)
    {
        private readonly int _mib = asked.MiB;
        private readonly int _rounds = asked.Rounds;
        private readonly BenchReport _report = new("tunnel", Console.Out);
        private int _incomplete;
        private int _lost;

        public async Task<int> MeasureAsync()
        {
            var (web, raw) = await stack.GuardPortsAsync();
            var tunnel = new IPEndPoint(IPAddress.Loopback, stack.RelayTlsPort);
            var passThrough = new TunnelRoute("passthrough", new Uri("https://raw.home.test"), tunnel, FromMany: true);
            var passThroughDirect = new TunnelRoute("direct", new Uri("https://raw.home.test"), new IPEndPoint(IPAddress.Loopback, raw), FromMany: false);
            var terminated = new TunnelRoute("terminated", new Uri("https://web.home.test"), tunnel, FromMany: true);
            var terminatedDirect = new TunnelRoute("direct", new Uri("http://web.home.test"), new IPEndPoint(IPAddress.Loopback, web), FromMany: false);

            // First: the others leave compiled code behind.
            if (asked.Wants("memory")) await new TunnelMemory(stack, _report, timeline).MeasureAsync(asked.Minutes, passThrough, terminated);
            if (asked.Wants("down")) await BulkAsync("down", passThrough, passThroughDirect, TunnelLoad.DownloadAsync, isBar: true);
            if (asked.Wants("up")) await BulkAsync("up", passThrough, passThroughDirect, TunnelLoad.UploadAsync, isBar: true);
            if (asked.Wants("terminated")) await BulkAsync("down", terminated, terminatedDirect, TunnelLoad.DownloadAsync, isBar: false);
            foreach (var connections in asked.Wants("keepalive") ? (int[])[1, 50, 250] : []) await KeepAliveAsync(connections, terminated, terminatedDirect);
            if (asked.Wants("small")) await KeepAliveAsync(50, passThrough, passThroughDirect);
            if (asked.Wants("connect")) await ConnectAsync(terminated, terminatedDirect);
            if (asked.Wants("connect")) await ConnectAsync(passThrough, passThroughDirect);
            _report.AtMost("bulk_incomplete", _incomplete, "", 0);
            _report.AtMost("streams_refused_or_lost", _lost, "", 0);
            if (asked.Wants("far")) await FarAsync(passThrough);
            var pressure = new TunnelPressureBench(stack, _report, timeline);
            if (asked.Wants("burst")) await pressure.BurstsAsync(terminated with { FromMany = false });
            if (asked.Wants("uploads")) await pressure.UploadsAsync(passThrough);
            if (asked.Wants("loss")) await pressure.LossAsync(terminated);
            if (asked.Wants("outage")) await pressure.OutageAsync(terminated);
            if (asked.Only is not null) return _report.IsShort ? 1 : 0;
            await _report.WriteAsync(string.Create(CultureInfo.InvariantCulture,
                $"`./dev bench tunnel`: visitor, DevRelay, appliance and the app in its container, all on this machine. Bulk: {_mib} MiB, medians of "
                + $"{_rounds} rounds once the just-in-time compiler has come to rest (6 to 30 s that do not count), each beside one straight at the "
                + $"app, every byte compared by SHA-256. Keep-alive: {Requests} requests of 3 bytes' answer, counted likewise. CPU is user and system "
                + $"time of the appliance alone. The line of 100 ms is a TCP proxy between appliance and relay."));
            return _report.IsShort ? 1 : 0;
        }

        private async Task BulkAsync(string way, TunnelRoute route, TunnelRoute direct, Func<TunnelRoute, int, Task<LoadResult>> load, bool isBar)
        {
            List<double> speed = [], ratio = [], cpu = [], allocated = [];
            await WarmUpAsync(() => load(route, _mib));
            for (var round = 0; round < _rounds; round++)
            {
                var straight = await load(direct, _mib);
                var before = await ProcessUsage.OfAsync(stack.Appliance);
                var through = await load(route, _mib);
                var used = await ProcessUsage.OfAsync(stack.Appliance) - before;
                _incomplete += through.Failed;
                speed.Add(_mib / through.Seconds);
                ratio.Add(straight.Seconds / through.Seconds);
                cpu.Add(used.CpuMilliseconds * 1000 / _mib);
                allocated.Add(used.AllocatedBytes / 1024 / _mib);
                timeline.Print(string.Create(CultureInfo.InvariantCulture,
                    $"{route.Name} {way}: {speed[^1]:0} MiB/s, {cpu[^1]:0} us of CPU and {allocated[^1]:0.0} KiB allocated per MiB"));
            }
            var name = $"{route.Name}_{way}";
            _report.Figure($"{name}_speed", Median(speed), " MiB/s");
            _report.Figure($"{name}_of_direct", Median(ratio), "x");
            if (!isBar)
            {
                _report.Figure($"{name}_cpu", Median(cpu), " µs/MiB");
                return;
            }
            _report.AtMost($"{name}_cpu", Median(cpu), " µs/MiB", 3500);
            _report.Goal($"{name}_cpu", Median(cpu), " µs/MiB", 2000, atMost: true);
            _report.AtMost($"{name}_allocated", Median(allocated), " KiB/MiB", 64);
        }

        /// <summary>What the just-in-time compiler takes, it takes once in the life of a process that runs for months.</summary>
        private async Task WarmUpAsync(Func<Task> load)
        {
            for (var warm = Stopwatch.StartNew(); warm.Elapsed < WarmUpMost;)
            {
                var before = await ProcessUsage.OfAsync(stack.Appliance);
                for (var step = Stopwatch.StartNew(); step.Elapsed < WarmUpStep;) await load();
                var used = await ProcessUsage.OfAsync(stack.Appliance) - before;
                if (warm.Elapsed >= WarmUp && used.JitMilliseconds < used.CpuMilliseconds * JitAtRest) break;
            }
        }

        private async Task KeepAliveAsync(int connections, TunnelRoute route, TunnelRoute direct)
        {
            var requests = connections == 1 ? Requests / 10 : Requests;
            List<double> rate = [], ratio = [], cpu = [];
            await WarmUpAsync(() => TunnelLoad.KeepAliveAsync(route, connections, requests, () => Task.FromResult(0)));
            for (var round = 0; round < _rounds; round++)
            {
                var (straight, _, _) = await TunnelLoad.KeepAliveAsync(direct, connections, requests, () => Task.FromResult(0));
                var (through, before, after) = await TunnelLoad.KeepAliveAsync(route, connections, requests, () => ProcessUsage.OfAsync(stack.Appliance));
                _lost += through.Failed;
                rate.Add(requests / through.Seconds);
                ratio.Add(straight.Seconds / through.Seconds);
                cpu.Add((after - before).CpuMilliseconds / 1000 / requests * 10_000);
                timeline.Print(string.Create(CultureInfo.InvariantCulture, $"keep-alive {connections}: {rate[^1]:0}/s, {cpu[^1]:0.00} s of CPU per 10,000"));
            }
            var name = $"{route.Name}_{connections}";
            _report.Figure($"{name}_rate", Median(rate), "/s");
            _report.Figure($"{name}_of_direct", Median(ratio), "x");
            if (route.Name == "passthrough")
            {
                _report.AtMost("small_passed_cpu", Median(cpu), " s/10k", 0.55);
                return;
            }
            if (connections != 50)
            {
                _report.Figure($"{name}_cpu", Median(cpu), " s/10k");
                return;
            }
            _report.AtMost($"{name}_cpu", Median(cpu), " s/10k", 1.6);
            _report.Goal($"{name}_cpu", Median(cpu), " s/10k", 1.2, atMost: true);
        }

        private async Task ConnectAsync(TunnelRoute route, TunnelRoute direct)
        {
            var straight = await TunnelLoad.ConnectAsync(direct, NewConnections);
            var before = await ProcessUsage.OfAsync(stack.Appliance);
            var through = await TunnelLoad.ConnectAsync(route, NewConnections);
            var used = await ProcessUsage.OfAsync(stack.Appliance) - before;
            _lost += through.Failed;
            _report.Figure($"{route.Name}_new_connections", NewConnections / through.Seconds, "/s");
            _report.Figure($"{route.Name}_new_connections_of_direct", straight.Seconds / through.Seconds, "x");
            _report.Figure($"{route.Name}_new_connection_cpu", used.CpuMilliseconds / NewConnections, " ms");
        }

        /// <summary>A relay far away: one stream fills the window that it has, no more is possible.</summary>
        private async Task FarAsync(TunnelRoute route)
        {
            await using var line = new TcpProxy(new IPEndPoint(IPAddress.Loopback, stack.RelayHubPort)) { Delay = TimeSpan.FromSeconds(RoundTripSeconds / 2) };
            await stack.ConfigureRemoteAsync(new Uri($"wss://localhost:{line.Port}/connect"));
            await stack.UntilServedByAsync(line);
            // An upload's window grows to its 64 messages within the first round trips.
            foreach (var (way, load, bar) in ((string, Func<TunnelRoute, int, Task<LoadResult>>, double)[])[("stream", TunnelLoad.DownloadAsync, 85),
                ("upload", TunnelLoad.UploadAsync, 80)])
            {
                List<double> share = [];
                for (var round = 0; round < _rounds; round++)
                {
                    var result = await load(route, FarMiB);
                    _incomplete += result.Failed;
                    share.Add(FarMiB / result.Seconds / (WindowMiB / RoundTripSeconds) * 100);
                    timeline.Print(string.Create(CultureInfo.InvariantCulture,
                        $"far relay, {way}: {FarMiB / result.Seconds:0.0} MiB/s, {share[^1]:0} % of window by round trip"));
                }
                _report.AtLeast($"far_{way}_of_window", Median(share), "%", bar);
            }
            await stack.ConfigureRemoteAsync(stack.RelayHub);
        }

        private static double Median(List<double> values) => Samples.Percentile(values, 0.5);
    }
}
