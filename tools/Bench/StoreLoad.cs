using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Bench;

/// <summary>The control store itself, in this process and in a folder of its own: one durable transaction after the other over many rows.</summary>
internal static class StoreLoad
{
    public const int Rows = 10_000;
    public const int Commits = 1_000;
    private const int RowsPerTransaction = 500;

    private static readonly StoreCollection<Row> Collection = new("bench");

    /// <returns>How long each commit took, in milliseconds, and how long all took together.</returns>
    public static async Task<(IReadOnlyList<double> Milliseconds, TimeSpan Total)> RunAsync(string folder)
    {
        var paths = new StatePaths(folder);
        var health = new HealthTracker(TimeProvider.System, NullLogger<HealthTracker>.Instance);
        var options = Options.Create(new VaultOptions { Kdf = new KdfOptions { MemoryMiB = KdfCost.MinMemoryMiB, Iterations = KdfCost.MinIterations } });
        using var vault = new ApplianceVault(paths, options, health, NullLogger<ApplianceVault>.Instance);
        using var store = new SealedStore(paths, health, NullLogger<SealedStore>.Instance);
        vault.Inspect();
        await vault.SetUpAsync(VaultBench.Password, CancellationToken.None);
        if (await vault.UnlockAsync(VaultBench.Password, store.Open, CancellationToken.None) != VaultOutcome.Done)
            throw new InvalidOperationException("The store did not open.");
        for (var i = 0; i < Rows; i += RowsPerTransaction)
        {
            var first = i;
            store.Commit(transaction =>
            {
                for (var n = first; n < first + RowsPerTransaction; n++) transaction.Put(Collection, $"row-{n}", Row.Of(n));
            });
        }
        var took = new List<double>(Commits);
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < Commits; i++)
        {
            var each = Stopwatch.GetTimestamp();
            var n = i * 7919 % Rows;
            store.Commit(transaction => transaction.Put(Collection, $"row-{n}", Row.Of(n + 1)));
            took.Add(Stopwatch.GetElapsedTime(each).TotalMilliseconds);
        }
        return (took, Stopwatch.GetElapsedTime(began));
    }

    private sealed record Row(string Name, string Text)
    {
        /// <summary>About as large as an app's record.</summary>
        public static Row Of(int number) => new($"row-{number}", new string('x', 400));
    }
}
