using System.Globalization;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Certificates.Orders;

/// <summary>
/// The engine in a process of its own, which stops at one step of an order and waits there to be killed:
/// <c>Piccolo.Tests acme-child FOLDER DIRECTORY ROOTS KEY STEP</c>. Without a step it prints the result and ends.
/// </summary>
internal static class KilledChild
{
    public const string Command = "acme-child";

    public static async Task<int> RunAsync(string[] args)
    {
        var (folder, directory, roots, stop) = (args[0], new Uri(args[1]), args[2], args.Length > 4 ? Enum.Parse<OrderStep>(args[4]) : (OrderStep?)null);
        using var key = new DataKey(Convert.FromHexString(args[3]));
        var options = new AcmeOptions { DirectoryUrl = directory, TrustedRootsFile = roots, RequestTimeout = TimeSpan.FromSeconds(10) };
        // Whoever finds an order of a dead process waits before it goes on with it: for the next one that time has passed.
        var clock = new ShiftedTime { Offset = stop is null ? TimeSpan.FromMinutes(1) : TimeSpan.Zero };
        await using var harness = new EngineHarness(folder, key, options, clock, step: async (_, step) =>
        {
            if (step != stop) return;
            Console.WriteLine("REACHED " + step);
            await CancellationToken.None.FiredAsync();
        });
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var seen = harness.Inventory.Changed.Version;
            if (harness.Inventory.List() is [{ Status: CertificateStatus.Ok } entry])
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ISSUED {entry.Serial}"));
                return 0;
            }
            await harness.Inventory.Changed.WaitAsync(seen, limit.Token);
        }
    }
}
