namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// What is left for honest users while thousands send their ClientHello byte by byte: the bar is their rate on a quiet machine. The clients live on the machine
/// that is measured, so that what they cost themselves is missing too; what a byte costs each side is said beside it.
/// </summary>
internal static class Slowloris
{
    public const int Clients = 2_000;

    /// <summary>So many times the rounds of the others: the bar is nearer to 1 than one load to the next.</summary>
    private const int OwnRounds = 5;

    private const double Bar = 0.95;
    private const double Microseconds = 1_000_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(SlowHellos.LongestVisit);
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(10);

    /// <summary>
    /// So long users are there before each load that counts, while slow clients come or go: neither is to count, and a machine that has had a rest is a faster
    /// one for seconds.
    /// </summary>
    private const int SettlingSeconds = 3;

    public static async Task MeasureAsync(BenchReport report, Contender door, byte[] hello, string folder, IngressBenchSettings settings)
    {
        Func<Contender, Task<LoadResult>> connect = c => RawClients.ConnectAsync(c.PassThroughPort!.Value, hello, settings.Seconds);
        Func<Contender, Task<LoadResult>> request = c => Load.Http1Async(c.TerminatedPort, BenchNames.Terminated, settings.Seconds);
        await Rounds.WarmUpAsync(door, connect);
        await Rounds.WarmUpAsync(door, request);
        var log = Path.Combine(folder, "slow-hellos.log");
        var (doorCpu, clientsCpu) = await AloneAsync(door, log);
        List<(Users During, Users Quiet)> rounds = [];
        var (cameBack, cutOff) = (0, 0);
        // One load with slow clients between two without, so that what the machine does meanwhile falls on both.
        await SettleAsync();
        var before = await UsersAsync();
        for (var round = 0; round < settings.Rounds * OwnRounds; round++)
        {
            Users during;
            var starting = StartAsync(door, log);
            await SettleAsync();
            await using (var slow = await starting)
            {
                during = await UsersAsync();
                var done = slow.Figures;
                cameBack += done.CameBack;
                cutOff += done.CutOff;
            }
            await SettleAsync();
            var after = await UsersAsync();
            rounds.Add((during, Users.Between(before, after)));
            before = after;
        }
        double Middle(Func<Users, double> figure) => Rounds.Median(rounds.Select(r => figure(r.During) / figure(r.Quiet)));
        report.Figure("slow_clients", Clients, "");
        report.Figure("slow_clients_came_back", cameBack, "");
        report.Figure("slow_clients_cut_off", cutOff, "");
        report.Figure("slow_byte_door_cpu", doorCpu * Microseconds, "µs");
        report.Figure("slow_byte_client_cpu", clientsCpu * Microseconds, "µs");
        report.AtLeast("slow_new_connections_ratio", Middle(u => u.Connections), "x", Bar);
        report.AtLeast("slow_requests_ratio", Middle(u => u.Requests), "x", Bar);

        Task SettleAsync() => Load.Http1Async(door.TerminatedPort, BenchNames.Terminated, SettlingSeconds);

        async Task<Users> UsersAsync() => new((await connect(door)).Rate, (await request(door)).Rate);
    }

    /// <summary>While there are no users: what a byte costs the front door, and those who send it.</summary>
    private static async Task<(double Door, double Clients)> AloneAsync(Contender door, string log)
    {
        await using var slow = await StartAsync(door, log);
        await Task.Delay(WarmUp, TimeProvider.System);
        var (doorBefore, clientsBefore, sentBefore) = (ProcessFigures.CpuSeconds(door.Process.Id), slow.CpuSeconds, slow.Figures.Bytes);
        await Task.Delay(Alone, TimeProvider.System);
        var sent = slow.Figures.Bytes - sentBefore;
        return ((ProcessFigures.CpuSeconds(door.Process.Id) - doorBefore) / sent, (slow.CpuSeconds - clientsBefore) / sent);
    }

    private static Task<SlowClients> StartAsync(Contender door, string log) => SlowClients.StartAsync(door.PassThroughPort!.Value, Clients, log);

    private readonly record struct Users(double Connections, double Requests)
    {
        public static Users Between(Users one, Users other) => new((one.Connections + other.Connections) / 2, (one.Requests + other.Requests) / 2);
    }
}
