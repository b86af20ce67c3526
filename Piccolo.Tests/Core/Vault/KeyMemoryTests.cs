using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Vault;

/// <summary>What a lock wipes is looked for in the memory of this very process.</summary>
[Category("Sealed")]
[NonParallelizable]
internal sealed class KeyMemoryTests
{
    private const string NewPassword = "harbour kettle violin mosaic";

    [Test]
    public async Task Lock_DataKey_IsNowhereInMemory()
    {
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);
        await box.SetUpAsync();
        OwnMemory? search = null;
        await box.Vault.UnlockAsync(TestBox.Password, key =>
        {
            search = Remember(key);
            box.Store.Open(key);
        }, CancellationToken.None);
        Assert.That(search!.Find(), Is.Not.Empty, "the search finds the key while it is in use");
        await box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None);
        await box.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, false, CancellationToken.None);
        await box.UnlockAsync(NewPassword);

        await box.LockAsync();

        Assert.That(search.Find(), Is.Empty);
    }

    [Test]
    public async Task AttemptsOnALockedVault_LeaveNoDataKeyBehind()
    {
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);
        await box.SetUpAsync();
        OwnMemory? search = null;
        await box.Vault.UnlockAsync(TestBox.Password, key => search = Remember(key), CancellationToken.None);
        await box.LockAsync();

        var words = (await box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None)).Words;
        await box.Vault.ResetPasswordAsync(string.Join(' ', words), NewPassword, CancellationToken.None);
        Assert.That(async () => await box.Vault.UnlockAsync(NewPassword, _ => throw new IOException("disk"), CancellationToken.None), Throws.InstanceOf<IOException>());

        Assert.That(search!.Find(), Is.Empty);
    }

    [Test]
    public void DataKey_Disposed_IsZeroes()
    {
        var key = DataKey.Generate();
        var bytes = key.Bytes;
        Assert.That(bytes.IndexOfAnyExcept((byte)0), Is.GreaterThanOrEqualTo(0));

        key.Dispose();

        Assert.That(bytes.IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
    }

    [Test]
    public void TryOpen_WrongKey_LeavesZeroes()
    {
        using var right = new SecretSealer(RandomNumberGenerator.GetBytes(32));
        using var wrong = new SecretSealer(RandomNumberGenerator.GetBytes(32));
        var box = right.Seal("the content"u8, "place"u8);
        var content = new byte[11];
        content.AsSpan().Fill(0xff);

        Assert.That(wrong.TryOpen(box, "place"u8, content), Is.False);
        Assert.That(content, Is.All.Zero);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OwnMemory Remember(DataKey key)
    {
        Span<byte> needle = stackalloc byte[DataKey.Length];
        key.Bytes.CopyTo(needle);
        var search = new OwnMemory(needle);
        CryptographicOperations.ZeroMemory(needle);
        return search;
    }
}
