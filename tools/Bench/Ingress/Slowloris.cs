namespace Piccolo.Bench.Ingress;

/// <summary>
/// Thousands send their ClientHello byte by byte, and all are heard out; honest users beside them are served all the same. What it costs these is said, not
/// barred: the slow clients live on the machine that is measured, so that what they cost themselves is missing too.
/// </summary>
internal static class Slowloris
{
    private const int Clients = 2_000;

    /// <summary>So many times the rounds of the others: one window differs from the next by more than what is looked for.</summary>
    private const int OwnRounds = 2;

    private const double Microseconds = 1_000_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(SlowHellos.LongestVisit);
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(10);

    public static async Task MeasureAsync(BenchReport report, Contender door, Backend app, byte[] hello, string folder, IngressBenchSettings settings)
    {
        var port = door.PassThroughPort;
        await Rounds.WarmUpAsync(door, _ => RawClients.ConnectAsync(port, hello, settings.Seconds));
        await Rounds.WarmUpAsync(door, _ => Load.Http1Async(door.TerminatedPort, BenchNames.Terminated, settings.Seconds));
        await using var slow = new SlowClients(port, Clients, Path.Combine(folder, "slow-hellos.log"));
        var (doorCpu, clientsCpu) = await AloneAsync(door, slow);
        var beside = new BesideSlowClients(slow, settings.Rounds * OwnRounds);
        var connected = new Served();
        var connections = await beside.RatiosAsync(seconds => RawClients.ConnectAsync(port, hello, seconds, connected), () => Task.FromResult(connected.Count));
        var requests = await beside.RatiosAsync(seconds => Load.Http1Async(door.TerminatedPort, BenchNames.Terminated, seconds), app.RequestsAsync);
        var done = await slow.TellAsync(SlowOrder.Say);
        report.Figure("slow_clients", Clients, "");
        report.Figure("slow_clients_came_back", done.CameBack, "");
        report.AtMost("slow_clients_cut_off", done.CutOff, "", 0);
        report.Figure("slow_byte_door_cpu", doorCpu * Microseconds, "µs");
        report.Figure("slow_byte_client_cpu", clientsCpu * Microseconds, "µs");
        // A user who is not served ends the run.
        report.Figure("slow_new_connections_ratio", Estimate.Of(connections), "x");
        report.Figure("slow_requests_ratio", Estimate.Of(requests), "x");
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
}
