using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Vault;

/// <summary>What a lock wipes is looked for in the memory of this very process.</summary>
/// <remarks>Not beside others: a search reads all memory, and what others do with theirs meanwhile makes it slow.</remarks>
[Category("Sealed")]
[NonParallelizable]
[Category("Timing")]
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
        Assert.That(async () => await box.Vault.UnlockAsync(NewPassword, _ => throw new IOException("disk"), CancellationToken.None),
            Throws.InstanceOf<IOException>());

        Assert.That(search!.Find(), Is.Empty);
    }

    /// <summary>
    /// The keys that open the data key: one Argon2id makes of the password, the other HKDF of
    /// the recovery words. They go after each use, not at the lock.
    /// </summary>
    [Test]
    public async Task DerivedKeys_AfterEachUseAndEachFailure_AreNowhereInMemory()
    {
        const string wrong = "never the password of this";
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);
        await box.SetUpAsync();
        var words = (await GenerateAsync(TestBox.Password)).Words;
        var keySet = KeySet.Parse(await File.ReadAllBytesAsync(box.Paths.KeySet));
        (string Name, OwnMemory Search)[] keys =
        [
            ("the password's", Remember(key => PasswordKeyDerivation.Derive(TestBox.Password, keySet.Password.Salt, keySet.Password.GetCost(), key))),
            ("a wrong password's", Remember(key => PasswordKeyDerivation.Derive(wrong, keySet.Password.Salt, keySet.Password.GetCost(), key))),
            ("the words'", Remember(key => RecoveryKey(words, keySet.Recovery!.Salt, key))),
        ];

        await AssertGoneAsync("unlock", VaultOutcome.Done, () => box.UnlockAsync());
        await AssertGoneAsync("unlock with a wrong password", VaultOutcome.WrongPassword, () => box.UnlockAsync(wrong));
        await AssertGoneAsync("check", VaultOutcome.Done, () => box.Vault.CheckPasswordAsync(TestBox.Password, CancellationToken.None));
        await AssertGoneAsync("change to a weak password", VaultOutcome.WeakPassword,
            () => box.Vault.ChangePasswordAsync(TestBox.Password, "short", false, CancellationToken.None));
        await AssertGoneAsync("change with a wrong password", VaultOutcome.WrongPassword,
            () => box.Vault.ChangePasswordAsync(wrong, NewPassword, false, CancellationToken.None));
        await AssertGoneAsync("new words with a wrong password", VaultOutcome.WrongPassword, async () => (await GenerateAsync(wrong)).Outcome);
        await AssertGoneAsync("reset to a weak password", VaultOutcome.WeakPassword,
            () => box.Vault.ResetPasswordAsync(string.Join(' ', words), "short", CancellationToken.None));
        await box.LockAsync();
        await AssertGoneAsync("unlock that cannot open the store", null,
            () => box.Vault.UnlockAsync(TestBox.Password, _ => throw new IOException("disk"), CancellationToken.None));
        await AssertGoneAsync("reset", VaultOutcome.Done, () => box.Vault.ResetPasswordAsync(string.Join(' ', words), NewPassword, CancellationToken.None));

        Task<(VaultOutcome Outcome, IReadOnlyList<string> Words)> GenerateAsync(string password) =>
            box.Vault.GenerateRecoveryKeyAsync(password, CancellationToken.None);

        async Task AssertGoneAsync(string what, VaultOutcome? expected, Func<Task<VaultOutcome>> use)
        {
            if (expected is null) Assert.That(async () => await use(), Throws.InstanceOf<IOException>(), what);
            else Assert.That(await use(), Is.EqualTo(expected), what);
            foreach (var (name, search) in keys) Assert.That(search.Find(), Is.Empty, $"{name} key after: {what}");
        }
    }

    /// <summary>Text that was asked for stays as text, which is the caller's; the bytes that it was read from do not.</summary>
    [Test]
    public async Task RowsOfTheStore_AfterTheyWereRead_LeaveNoContentBehind()
    {
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);
        await PreparedKeySet.ClaimAsync(box.Vault, box.Paths);
        await box.UnlockAsync();
        var notes = new Piccolo.Core.ControlStore.StoreCollection<int[]>("notes");
        var random = RandomNumberGenerator.GetBytes(16);
        // The collector copies what it moves; that is not what is asked about here.
        Assert.That(GC.TryStartNoGCRegion(32 << 20), Is.True);
        try
        {
            box.Store.Commit(t => t.Put(notes, "n", [.. random.Select(b => (int)b)]));
            // The serializer gives the buffer that it wrote to back to the pool as it is.
            var written = System.Buffers.ArrayPool<byte>.Shared.Rent(16 * 1024);
            CryptographicOperations.ZeroMemory(written);
            System.Buffers.ArrayPool<byte>.Shared.Return(written);
            for (var i = 0; i < 20; i++) box.Store.Get(notes, "n");
            box.Store.List(notes);
        }
        finally
        {
            GC.EndNoGCRegion();
        }

        Assert.That(Written(random).Find(), Is.Empty);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OwnMemory Written(byte[] numbers)
    {
        var text = string.Join(',', numbers);
        Span<byte> needle = stackalloc byte[text.Length];
        System.Text.Encoding.ASCII.GetBytes(text, needle);
        var search = new OwnMemory(needle);
        CryptographicOperations.ZeroMemory(needle);
        return search;
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

    private delegate void Derivation(Span<byte> key);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OwnMemory Remember(Derivation derive)
    {
        var key = GC.AllocateArray<byte>(KeyWrapping.KeyLength, pinned: true);
        derive(key);
        var search = new OwnMemory(key);
        Assert.That(search.Find(), Is.Not.Empty, "the search finds the key while it is there");
        CryptographicOperations.ZeroMemory(key);
        Assert.That(search.Find(), Is.Empty, "and deriving it leaves no copy");
        return search;
    }

    private static void RecoveryKey(IReadOnlyList<string> words, byte[] salt, Span<byte> key)
    {
        Span<byte> entropy = stackalloc byte[RecoveryPhrase.EntropyLength];
        Assert.That(RecoveryPhrase.TryRead(string.Join(' ', words), entropy), Is.Null);
        RecoveryWrap.Derive(entropy, salt, key);
        CryptographicOperations.ZeroMemory(entropy);
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
