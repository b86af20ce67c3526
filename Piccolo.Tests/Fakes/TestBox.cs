using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Fakes;

/// <summary>Vault, store and health over a real folder, with the cheapest password cost that is allowed.</summary>
internal sealed class TestBox : IDisposable
{
    public const string Password = "correct horse battery staple";

    public TestBox(string folder, StoreSchema? schema = null, int iterations = KdfCost.MinIterations)
    {
        Paths = new StatePaths(folder);
        Health = new HealthTracker(Time, Log.For<HealthTracker>());
        var options = Options.Create(new VaultOptions { Kdf = new KdfOptions { MemoryMiB = KdfCost.MinMemoryMiB, Iterations = iterations } });
        Vault = new ApplianceVault(Paths, options, Health, Log.For<ApplianceVault>());
        Store = new SealedStore(Paths, Health, Log.For<SealedStore>(), Time) { Schema = schema ?? StoreSchema.Current };
        Vault.Inspect();
    }

    public SteppedTime Time { get; } = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));

    public CapturedLog Log { get; } = new();

    public StatePaths Paths { get; }

    public HealthTracker Health { get; }

    public ApplianceVault Vault { get; }

    public SealedStore Store { get; }

    public Task<VaultOutcome> SetUpAsync() => Vault.SetUpAsync(Password, CancellationToken.None);

    public Task<VaultOutcome> UnlockAsync(string password = Password) => Vault.UnlockAsync(password, Store.Open, CancellationToken.None);

    public Task LockAsync() => Vault.LockAsync(Store.Close, CancellationToken.None);

    public void Dispose()
    {
        Store.Dispose();
        Vault.Dispose();
    }
}
