using System.Globalization;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Rig.Acme;
using Piccolo.Rig.Load;

namespace Piccolo.Bench;

/// <summary><c>./dev bench acme</c>: many names at once from a real test CA, finished ones served meanwhile; requests per certificate.</summary>
public static class AcmeBench
{
    private const int DefaultNames = 200;
    private const int FreshPosts = 9;
    private const int ReusedPosts = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <param name="args"><c>--names N</c>: how many (default 200).</param>
    /// <returns>0 when every bar holds, else 1; 2 for options that are not known.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var names = DefaultNames;
        if (args is not []
            && !(args is ["--names", var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out names) && names is > 0 and <= 900))
        {
            Console.Error.WriteLine("usage: ./dev bench acme [--names N]");
            return 2;
        }
        var folder = Directory.CreateTempSubdirectory("piccolo-bench-");
        try
        {
            return await MeasureAsync(folder.FullName, names);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(string folder, int names)
    {
        var report = new BenchReport("acme", Console.Out);
        await using var door = await AcmeBenchDoor.StartAsync();
        await using var dns = await ChallengeTestServer.StartAsync(folder);
        await using var ca = await PebbleServer.StartAsync(
            folder, new PebbleOptions
            {
                HttpPort = door.HttpPort,
                DnsServer = dns.DnsServer,
                Edition = PebbleEdition.Current,
                AuthorizationReusePercent = 100,
            });
        var wanted = Enumerable.Range(0, names).Select(i => AcmeBenchRun.Want($"n{i}.home.test")).ToList();

        AccountRecord account;
        await using (var fresh = new AcmeBenchRun(Path.Combine(folder, "fresh"), ca, door, account: null))
        {
            using var ended = new CancellationTokenSource();
            var serving = door.ShakeHandsAsync(ended.Token);
            var took = await fresh.IssueAsync(wanted, Limit);
            await ended.CancelAsync();
            var (shown, failed) = await serving;
            report.Figure("names", names, "");
            report.Figure("wall", took.TotalSeconds, "s");
            report.Figure("per_certificate", took.TotalMilliseconds / names, "ms");
            report.AtMost("orders_in_flight", fresh.MostInFlight, "", RenewalScheduler.MaxInFlight);
            report.Figure("handshakes_meanwhile", shown, "");
            report.AtMost("handshakes_failed", failed, "", 0);
            Posts(report, "fresh", fresh, FreshPosts);
            account = fresh.Account(ca.DirectoryUrl);
        }
        door.Table.Replace([]);
        // The same account in another state folder: the CA believes the names, the device has nothing.
        await using var again = new AcmeBenchRun(Path.Combine(folder, "again"), ca, door, account);
        var second = await again.IssueAsync(wanted, Limit);
        report.Figure("wall_reused", second.TotalSeconds, "s");
        Posts(report, "reused", again, ReusedPosts);
        await report.WriteAsync(
            $"`./dev bench acme`: {names} names wanted at once, each an order of its own, from Pebble 2.10 on this machine (no validation pause, no "
            + "rejected nonces); the sealed store on disk. Names that are "
            + "finished are shown in handshakes meanwhile. Requests are counted by the flight recorder. In the second part the CA still holds every "
            + "name for proven.");
        return report.IsShort ? 1 : 0;
    }

    private static void Posts(BenchReport report, string kind, AcmeBenchRun run, int limit)
    {
        var stories = run.Stories().ToList();
        var posts = stories.Select(s => s.Exchanges.Count(e => e.Method == "POST")).ToList();
        report.Figure($"requests_{kind}_mean", stories.Average(s => s.Exchanges.Count), "");
        report.Figure($"posts_{kind}_mean", posts.Average(), "");
        // Polls beyond the first are the CA's slowness, not the client's flow: the median is what the flow costs.
        report.AtMost($"posts_{kind}_median", Samples.Percentile([.. posts.Select(p => (double)p)], 0.5), "", limit);
        report.Figure($"posts_{kind}_most", posts.Max(), "");
    }
}
