using System.Diagnostics;
using Piccolo.Core.Listeners;
using Piccolo.Core.Routing;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>What the decision over a ClientHello costs with few and with many names in the table.</summary>
internal static class NameLookUp
{
    private const int Looks = 2_000_000;
    private const int Repeats = 5;

    public static void Measure(BenchReport report, int few, int many)
    {
        report.Figure($"names_look_up_{few}", Nanoseconds(few), "ns");
        report.Figure($"names_look_up_{many}", Nanoseconds(many), "ns");
    }

    private static double Nanoseconds(int count)
    {
        var names = BenchNames.Others(count).ToArray();
        var table = new RouteTable(names.Select(n => DoorHost.App(n, 1, ListenerFlow.Tcp)));
        return Rounds.Median(Enumerable.Range(0, Repeats).Select(_ =>
        {
            var began = Stopwatch.GetTimestamp();
            var found = 0;
            for (var i = 0; i < Looks; i++)
                if (Router.DecideTls(table, names[(int)((uint)i * 7919 % (uint)names.Length)], ListenerDefinition.HttpsPort) is RouteDecision.Terminate) found++;
            if (found != Looks) throw new InvalidOperationException("A name of the table was not found.");
            return Stopwatch.GetElapsedTime(began).TotalNanoseconds / Looks;
        }));
    }
}
