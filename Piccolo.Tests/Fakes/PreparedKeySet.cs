using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Tests.Fakes;

/// <summary>A key set that was made once, for tests that begin with a box that has an owner: making one costs a derivation of the password.</summary>
internal static class PreparedKeySet
{
    private static readonly Lazy<Task<byte[]>> Made = new(MakeAsync);

    /// <summary>Claims a box for <see cref="TestBox.Password"/>. The vault stays locked.</summary>
    public static async Task ClaimAsync(ApplianceVault vault, StatePaths paths)
    {
        var made = await Made.Value;
        Assert.That(await vault.AdoptAsync(() => AtomicFile.Write(paths.KeySet, made), CancellationToken.None), Is.EqualTo(VaultOutcome.Done));
    }

    private static async Task<byte[]> MakeAsync()
    {
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);
        await box.SetUpAsync();
        return await File.ReadAllBytesAsync(box.Paths.KeySet);
    }
}
