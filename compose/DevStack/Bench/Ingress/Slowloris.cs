namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// What is left for honest users while thousands send their ClientHello byte by byte: the bar is their rate on a quiet machine. The clients live on the machine
/// that is measured, so that what they cost themselves is missing too; what a byte costs each side is said beside it.
/// </summary>
internal static class Slowloris
{
    public const int Clients = 2_000;

    /// <summary>Of users, in each state of each round; a difference of the size of the machine's own unrest takes many.</summary>
    private const int Loads = 4;

    /// <summary>Before those that count.</summary>
    private const int FirstLoads = 2;

    private const double Bar = 0.95;
    private const double Microseconds = 1_000_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(SlowHellos.LongestVisit);
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(10);

    /// <summary>To see them all off is no work of a quiet machine.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    public static async Task MeasureAsync(BenchReport report, Contender door, byte[] hello, IngressBenchSettings settings)
    {
        Func<Contender, Task<LoadResult>> connect = c => RawClients.ConnectAsync(c.PassThroughPort!.Value, hello, settings.Seconds);
        Func<Contender, Task<LoadResult>> request = c => Load.Http1Async(c.TerminatedPort, BenchNames.Terminated, settings.Seconds);
        await Rounds.WarmUpAsync(door, connect);
        await Rounds.WarmUpAsync(door, request);
        var (doorCpu, clientsCpu) = await AloneAsync(door, hello);
        List<(Users During, Users Quiet)> rounds = [];
        var (returned, cutOff) = (0, 0);
        // With slow clients between two times without, so that what the machine does meanwhile falls on both.
        var before = await UsersAsync(Loads);
        for (var round = 0; round < settings.Rounds * 2; round++)
        {
            Users during;
            using (var slow = await SlowHellos.StartAsync(door.PassThroughPort!.Value, hello, Clients))
            {
                // They came within a second, as in an attack of hours they do once: what they brought must first have grown old in the heap.
                await UsersAsync(FirstLoads);
                during = await UsersAsync(Loads);
                returned += slow.Returned;
                cutOff += slow.CutOff;
            }
            await Task.Delay(Farewell, TimeProvider.System);
            var after = await UsersAsync(Loads);
            rounds.Add((during, Users.Mean([before, after])));
            before = after;
        }
        double Middle(Func<Users, double> figure) => Rounds.Median(rounds.Select(r => figure(r.During) / figure(r.Quiet)));
        report.Figure("slow_clients", Clients, "");
        report.Figure("slow_clients_came_back", returned, "");
        report.Figure("slow_clients_cut_off", cutOff, "");
        report.Figure("slow_byte_door_cpu", doorCpu * Microseconds, "µs");
        report.Figure("slow_byte_client_cpu", clientsCpu * Microseconds, "µs");
        report.AtLeast("slow_new_connections_ratio", Middle(u => u.Connections), "x", Bar);
        report.AtLeast("slow_requests_ratio", Middle(u => u.Requests), "x", Bar);

        async Task<Users> UsersAsync(int count)
        {
            var loads = new Users[count];
            for (var i = 0; i < count; i++) loads[i] = new((await connect(door)).Rate, (await request(door)).Rate);
            return Users.Mean(loads);
        }
    }

    /// <summary>While there are no users, and once the compiler is done with what these clients need: what a byte costs the front door, and those who send it.</summary>
    private static async Task<(double Door, double Clients)> AloneAsync(Contender door, byte[] hello)
    {
        using var slow = await SlowHellos.StartAsync(door.PassThroughPort!.Value, hello, Clients);
        await Task.Delay(WarmUp, TimeProvider.System);
        var (doorBefore, clientsBefore, sentBefore) = (ProcessFigures.CpuSeconds(door.Process.Id), Environment.CpuUsage.TotalTime.TotalSeconds, slow.Sent);
        await Task.Delay(Alone, TimeProvider.System);
        var sent = slow.Sent - sentBefore;
        return ((ProcessFigures.CpuSeconds(door.Process.Id) - doorBefore) / sent, (Environment.CpuUsage.TotalTime.TotalSeconds - clientsBefore) / sent);
    }

    private readonly record struct Users(double Connections, double Requests)
    {
        public static Users Mean(IReadOnlyCollection<Users> users) => new(users.Average(u => u.Connections), users.Average(u => u.Requests));
    }
}
