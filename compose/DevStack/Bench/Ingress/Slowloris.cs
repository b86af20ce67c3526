namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>What is left for honest users while thousands send their ClientHello byte by byte: rates with and without them, in turns.</summary>
internal static class Slowloris
{
    private const int Clients = 2_000;
    private const double Bar = 0.95;

    public static async Task MeasureAsync(BenchReport report, Contender door, byte[] hello, IngressBenchSettings settings)
    {
        Func<Task<LoadResult>> connect = () => RawClients.ConnectAsync(door.PassThroughPort!.Value, hello, settings.Seconds);
        Func<Task<LoadResult>> request = () => Load.Http1Async(door.TerminatedPort, BenchNames.Terminated, settings.Seconds);
        List<(double Connections, double Requests)> ratios = [];
        var returned = 0;
        for (var round = 0; round < settings.Rounds; round++)
        {
            // Without, with, without: what the machine does meanwhile falls on both.
            var (before, beforeRequests) = ((await connect()).Rate, (await request()).Rate);
            double during, duringRequests;
            await using (var slow = await SlowHellos.StartAsync(door.PassThroughPort!.Value, hello, Clients))
            {
                (during, duringRequests) = ((await connect()).Rate, (await request()).Rate);
                returned += slow.Returned;
            }
            var (after, afterRequests) = ((await connect()).Rate, (await request()).Rate);
            ratios.Add((during * 2 / (before + after), duringRequests * 2 / (beforeRequests + afterRequests)));
        }
        report.Figure("slow_clients", Clients, "");
        report.Figure("slow_clients_came_back", returned, "");
        report.AtLeast("slow_new_connections_ratio", Rounds.Median(ratios.Select(r => r.Connections)), "x", Bar);
        report.AtLeast("slow_requests_ratio", Rounds.Median(ratios.Select(r => r.Requests)), "x", Bar);
    }
}
