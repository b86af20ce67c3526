using System.Globalization;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// What a passed-through connection costs in memory that nobody uses. Each contender is fresh, so that nothing pooled from other work hides it.
/// </summary>
internal static class IdleMemory
{
    private const int Connections = 2_000;
    private const int WarmUp = 64;
    private const double Bar = 8;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(4);

    public static async Task MeasureAsync(BenchReport report, Contenders all, Backend app, byte[] hello, IngressBenchSettings settings)
    {
        Func<string, IReadOnlyDictionary<string, string>, Func<Task<Contender>>> door = (name, environment) => () =>
            all.StartDoorAsync(name, app, IngressBench.FewNames, environment);
        Func<Task<Contender>>[] starts =
        [
            () => all.StartNginxAsync(app), door(Rounds.Door, IngressBenchSettings.AsPackaged), .. settings.Tries.Select(t => door(t.Name, t.Environment)),
        ];
        foreach (var start in starts)
        {
            await using var contender = await start();
            var perConnection = await MeasureAsync(contender, hello);
            var name = string.Create(CultureInfo.InvariantCulture, $"pass_idle_{contender.Name}");
            if (contender.Name != Rounds.Door)
            {
                report.Figure(name, perConnection, " KiB");
                continue;
            }
            report.AtMost("pass_idle", perConnection, " KiB", Bar);
        }
    }

    private static async Task<double> MeasureAsync(Contender contender, byte[] hello)
    {
        var port = contender.PassThroughPort;
        foreach (var socket in await RawClients.OpenAsync(port, hello, WarmUp)) socket.Dispose();
        await Task.Delay(Settle, TimeProvider.System);
        var before = ProcessFigures.ResidentKiB(contender.Process.Id);
        var open = await RawClients.OpenAsync(port, hello, Connections);
        await Task.Delay(Settle, TimeProvider.System);
        var after = ProcessFigures.ResidentKiB(contender.Process.Id);
        open.ForEach(s => s.Dispose());
        return (after - before) / Connections;
    }
}
