using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Demo.Prove;

/// <summary>
/// Opens a copy of a state folder with the owner's password, as its owner could, and reads out the keys that the daemon made for itself. Shows on the way
/// that what is searched for really is in there.
/// </summary>
public static class OpenedState
{
    private const int ScalarLength = 32;

    public static async Task<IReadOnlyList<Canary>> ReadKeysAsync(string stateDirectory, string copy, string password)
    {
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(stateDirectory, "control.db*").Append(Path.Combine(stateDirectory, "keyset.json")))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        var paths = new StatePaths(copy);
        var health = new HealthTracker(TimeProvider.System, NullLogger<HealthTracker>.Instance);
        using var vault = new ApplianceVault(paths, Options.Create(new VaultOptions()), health, NullLogger<ApplianceVault>.Instance);
        using var store = new SealedStore(paths, health, NullLogger<SealedStore>.Instance);
        vault.Inspect();
        var keys = new List<Canary>();
        var outcome = await vault.UnlockAsync(password, dataKey =>
        {
            foreach (var purpose in (string[])["store/rows", "store/row-ids"]) keys.Add(Canary.OfKey("key " + purpose, Derive(dataKey, purpose)));
            store.Open(dataKey);
        }, CancellationToken.None);
        if (outcome != VaultOutcome.Done) throw new InvalidOperationException($"The copy of the state did not open: {outcome}.");
        foreach (var certificate in store.List(new StoreCollection<KeyRow>("certificates")))
            keys.Add(Canary.OfKey("TLS key of " + certificate.Id, ScalarOf(certificate.KeyPkcs8)));
        foreach (var account in store.List(new StoreCollection<KeyRow>("acme-accounts")))
            keys.Add(Canary.OfKey("ACME account key", ScalarOf(account.KeyPkcs8)));
        return keys;
    }

    private static byte[] Derive(DataKey dataKey, string purpose)
    {
        var key = new byte[32];
        dataKey.Derive(purpose, key);
        return key;
    }

    /// <summary>The private number itself: whatever wraps it, these bytes are in every form of the key.</summary>
    private static byte[] ScalarOf(byte[] pkcs8)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        var scalar = key.ExportParameters(includePrivateParameters: true).D!;
        return scalar.Length == ScalarLength ? scalar : throw new InvalidOperationException("A key of another kind than P-256.");
    }

    /// <summary>What certificates and accounts have in common.</summary>
    private sealed record KeyRow(string? Id, byte[] KeyPkcs8);
}
