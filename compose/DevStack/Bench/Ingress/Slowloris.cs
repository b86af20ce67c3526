namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// What is left for honest users while thousands send their ClientHello byte by byte: the bar is their rate on a quiet machine. The clients live on the machine
/// that is measured, so that what they cost themselves is missing too; what a byte costs each side is said beside it.
/// </summary>
internal static class Slowloris
{
    public const int Clients = 2_000;

    /// <summary>So many times the rounds of the others: the bar is nearer to 1 than one window to the next.</summary>
    private const int OwnRounds = 20;

    private const double Bar = 0.95;
    private const double Microseconds = 1_000_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(SlowHellos.LongestVisit);
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(10);

    public static int Cycles(IngressBenchSettings settings) => settings.Rounds * OwnRounds;

    public static async Task MeasureAsync(BenchReport report, Contender door, Backend app, byte[] hello, string folder, IngressBenchSettings settings)
    {
        var port = door.PassThroughPort!.Value;
        await Rounds.WarmUpAsync(door, _ => RawClients.ConnectAsync(port, hello, settings.Seconds));
        await Rounds.WarmUpAsync(door, _ => Load.Http1Async(door.TerminatedPort, BenchNames.Terminated, settings.Seconds));
        await using var slow = new SlowClients(port, Clients, Path.Combine(folder, "slow-hellos.log"));
        var (doorCpu, clientsCpu) = await AloneAsync(door, slow);
        var beside = new BesideSlowClients(slow, Cycles(settings));
        var connected = new Served();
        var connections = await beside.RatiosAsync(seconds => RawClients.ConnectAsync(port, hello, seconds, connected), () => Task.FromResult(connected.Count));
        var requests = await beside.RatiosAsync(seconds => Load.Http1Async(door.TerminatedPort, BenchNames.Terminated, seconds), app.RequestsAsync);
        var done = await slow.TellAsync(SlowOrder.Say);
        report.Figure("slow_clients", Clients, "");
        report.Figure("slow_clients_came_back", done.CameBack, "");
        report.Figure("slow_clients_cut_off", done.CutOff, "");
        report.Figure("slow_byte_door_cpu", doorCpu * Microseconds, "µs");
        report.Figure("slow_byte_client_cpu", clientsCpu * Microseconds, "µs");
        Report("slow_new_connections_ratio", connections);
        Report("slow_requests_ratio", requests);

        void Report(string name, IReadOnlyList<double> ratios)
        {
            report.AtLeast(name, Rounds.Median(ratios), "x", Bar);
            report.Figure($"{name}_error", StandardError(ratios), "x");
        }
    }

    /// <summary>While there are no users: what a byte costs the front door, and those who send it.</summary>
    private static async Task<(double Door, double Clients)> AloneAsync(Contender door, SlowClients slow)
    {
        await slow.TellAsync(SlowOrder.Come);
        await Task.Delay(WarmUp, TimeProvider.System);
        var before = await SpentAsync();
        await Task.Delay(Alone, TimeProvider.System);
        var after = await SpentAsync();
        await slow.TellAsync(SlowOrder.Go);
        var sent = after.Bytes - before.Bytes;
        return ((after.Door - before.Door) / sent, (after.Clients - before.Clients) / sent);

        async Task<(double Door, double Clients, long Bytes)> SpentAsync() =>
            (ProcessFigures.CpuSeconds(door.Process.Id), slow.CpuSeconds, (await slow.TellAsync(SlowOrder.Say)).Bytes);
    }

    /// <summary>Of the median, for samples that are spread as the normal distribution is: a quarter more than of their mean.</summary>
    private static double StandardError(IReadOnlyList<double> samples)
    {
        var mean = samples.Average();
        return Math.Sqrt(Math.PI / 2 * samples.Sum(s => (s - mean) * (s - mean)) / Math.Max(1, samples.Count - 1) / samples.Count);
    }
}
