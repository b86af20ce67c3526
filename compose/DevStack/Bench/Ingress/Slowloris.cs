namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// What is left for honest users while thousands send their ClientHello byte by byte: the bar is their rate on a quiet machine. As the clients live on the
/// machine that is measured, a second comparison has them too, at a port where nobody cares for them: what is missing there is what the front door spends.
/// </summary>
internal static class Slowloris
{
    public const int Clients = 2_000;
    private const double Bar = 0.95;
    private const double Microseconds = 1_000_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(SlowHellos.LongestVisit);
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(3);

    public static async Task MeasureAsync(BenchReport report, Contender door, byte[] hello, IngressBenchSettings settings)
    {
        using var nobody = new HoldingPort(TimeSpan.FromSeconds(2 * SlowHellos.LongestVisit));
        Func<Contender, Task<LoadResult>> connect = c => RawClients.ConnectAsync(c.PassThroughPort!.Value, hello, settings.Seconds);
        Func<Contender, Task<LoadResult>> request = c => Load.Http1Async(c.TerminatedPort, BenchNames.Terminated, settings.Seconds);
        // The compiler's work for these clients is of the first minute of a process that runs for months.
        await using (await SlowHellos.StartAsync(door.PassThroughPort!.Value, hello, Clients)) await Task.Delay(WarmUp, TimeProvider.System);
        await Rounds.WarmUpAsync(door, connect);
        await Rounds.WarmUpAsync(door, request);
        List<Round> rounds = [];
        var (returned, cutOff) = (0, 0);
        // As many as of the other comparison of the front door with itself: the difference is of the size of the machine's own unrest.
        for (var round = 0; round < settings.Rounds * 2; round++)
        {
            // With slow clients between two times without, so that what the machine does meanwhile falls on both.
            var before = await UsersAsync();
            double doorCpu, clientsCpu;
            Users during;
            await using (var slow = await SlowHellos.StartAsync(door.PassThroughPort!.Value, hello, Clients))
            {
                (doorCpu, clientsCpu) = await CpuPerByteAsync(door, slow);
                during = await UsersAsync();
                returned += slow.Returned;
                cutOff += slow.CutOff;
            }
            var quiet = Users.Mean(before, await UsersAsync());
            rounds.Add(new Round(quiet, await ElsewhereAsync(), during, doorCpu, clientsCpu));
        }
        double Middle(Func<Round, double> figure) => Rounds.Median(rounds.Select(figure));
        report.Figure("slow_clients", Clients, "");
        report.Figure("slow_clients_came_back", returned, "");
        report.Figure("slow_clients_cut_off", cutOff, "");
        report.Figure("slow_byte_door_cpu", Middle(r => r.DoorCpu) * Microseconds, "µs");
        report.Figure("slow_byte_client_cpu", Middle(r => r.ClientsCpu) * Microseconds, "µs");
        report.Figure("slow_new_connections_of_elsewhere", Middle(r => r.During.Connections / r.Elsewhere.Connections), "x");
        report.Figure("slow_requests_of_elsewhere", Middle(r => r.During.Requests / r.Elsewhere.Requests), "x");
        report.AtLeast("slow_new_connections_ratio", Middle(r => r.During.Connections / r.Quiet.Connections), "x", Bar);
        report.AtLeast("slow_requests_ratio", Middle(r => r.During.Requests / r.Quiet.Requests), "x", Bar);

        async Task<Users> UsersAsync() => new((await connect(door)).Rate, (await request(door)).Rate);

        async Task<Users> ElsewhereAsync()
        {
            await using var slow = await SlowHellos.StartAsync(nobody.Port, hello, Clients);
            return await UsersAsync();
        }
    }

    /// <summary>While the slow clients are alone: what a byte costs the front door, and what it costs those who send it.</summary>
    private static async Task<(double Door, double Clients)> CpuPerByteAsync(Contender door, SlowHellos slow)
    {
        var (doorBefore, clientsBefore, sentBefore) = (ProcessFigures.CpuSeconds(door.Process.Id), Environment.CpuUsage.TotalTime.TotalSeconds, slow.Sent);
        await Task.Delay(Alone, TimeProvider.System);
        var sent = slow.Sent - sentBefore;
        return ((ProcessFigures.CpuSeconds(door.Process.Id) - doorBefore) / sent, (Environment.CpuUsage.TotalTime.TotalSeconds - clientsBefore) / sent);
    }

    private readonly record struct Users(double Connections, double Requests)
    {
        public static Users Mean(Users one, Users other) => new((one.Connections + other.Connections) / 2, (one.Requests + other.Requests) / 2);
    }

    /// <param name="Quiet">Without slow clients.</param>
    /// <param name="Elsewhere">With them at another port.</param>
    private readonly record struct Round(Users Quiet, Users Elsewhere, Users During, double DoorCpu, double ClientsCpu);
}
