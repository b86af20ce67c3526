using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Vault;

[Category("Sealed")]
internal sealed class ApplianceVaultTests
{
    private TempFolder _folder = null!;
    private TestBox _box = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    /// <summary>What a status page asks for is answered while a password is being evaluated, and while the store opens.</summary>
    [Test]
    public async Task State_WhileAPasswordIsEvaluatedAndTheStoreOpens_IsReadWithoutWaiting()
    {
        await _box.SetUpAsync();

        var evaluating = _box.UnlockAsync();
        var state = (_box.Vault.State, _box.Vault.Keys.RecoveryPresent);
        Assert.That((state, evaluating.IsCompleted), Is.EqualTo(((VaultState.Locked, false), false)));
        await evaluating;
        await _box.LockAsync();

        var (opening, open) = (new TaskCompletionSource(), new TaskCompletionSource());
        var unlocking = Task.Run(() => _box.Vault.UnlockAsync(TestBox.Password, _ =>
        {
            opening.SetResult();
            open.Task.Wait();
        }, CancellationToken.None));
        await opening.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var queued = _box.Vault.CheckPasswordAsync(TestBox.Password, CancellationToken.None);
        var read = Task.Run(() => _box.Vault.State);
        Assert.That(await read.WaitAsync(TimeSpan.FromSeconds(20)), Is.EqualTo(VaultState.Locked));
        Assert.That((unlocking.IsCompleted, queued.IsCompleted), Is.EqualTo((false, false)), "both are still under way");
        open.SetResult();
        Assert.That((await unlocking, await queued, _box.Vault.State), Is.EqualTo((VaultOutcome.Done, VaultOutcome.Done, VaultState.Unlocked)));
    }

    [Test]
    public async Task SetUp_FreshBox_IsClaimedAndStaysLocked()
    {
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Unclaimed));

        var outcome = await _box.SetUpAsync();

        Assert.That(outcome, Is.EqualTo(VaultOutcome.Done));
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Locked));
        Assert.That(File.GetUnixFileMode(_box.Paths.KeySet), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task SetUp_Twice_IsRefused()
    {
        await _box.SetUpAsync();
        var before = await File.ReadAllBytesAsync(_box.Paths.KeySet);

        Assert.That(await _box.Vault.SetUpAsync("another password", CancellationToken.None), Is.EqualTo(VaultOutcome.AlreadySetUp));
        Assert.That(await File.ReadAllBytesAsync(_box.Paths.KeySet), Is.EqualTo(before));
    }

    [Test]
    public async Task Unlock_WrongPassword_ChangesNothing()
    {
        await _box.SetUpAsync();

        Assert.That(await _box.UnlockAsync("wrong"), Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Locked));
        Assert.That(_box.Store.IsOpen, Is.False);
    }

    [TestCase("  harbour kettle violin mosaic  ", "harbour kettle violin mosaic")]
    [TestCase("\tharbour kettle violin mosaic\n", "harbour kettle violin mosaic")]
    [TestCase("harbo\u0308ur kettle violin mosaic", "harb\u00f6ur kettle violin mosaic")]
    [TestCase("\u05e1\u05d9\u05e1\u05de\u05d4 \u05d7\u05d6\u05e7\u05d4 \u05de\u05d0\u05d5\u05d3 \u2603",
        "\u05e1\u05d9\u05e1\u05de\u05d4 \u05d7\u05d6\u05e7\u05d4 \u05de\u05d0\u05d5\u05d3")]
    public async Task Unlock_UnusualPassword_OpensWithExactlyThat(string password, string near)
    {
        await _box.Vault.SetUpAsync(password, CancellationToken.None);

        Assert.That(await _box.UnlockAsync(near), Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(await _box.UnlockAsync(password), Is.EqualTo(VaultOutcome.Done));
    }

    [Test]
    public async Task Unlock_WhenTheStoreCannotOpen_StaysLocked()
    {
        await _box.SetUpAsync();

        Assert.That(async () => await _box.Vault.UnlockAsync(TestBox.Password, _ => throw new IOException("disk"), CancellationToken.None),
            Throws.InstanceOf<IOException>());
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Locked));
    }

    [Test]
    public async Task Lock_AfterUnlock_ClosesTheStoreAndWipesTheKey()
    {
        DataKey? held = null;
        await _box.SetUpAsync();
        await _box.Vault.UnlockAsync(TestBox.Password, key =>
        {
            held = key;
            _box.Store.Open(key);
        }, CancellationToken.None);

        await _box.LockAsync();

        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Locked));
        Assert.That(_box.Store.IsOpen, Is.False);
        Assert.That(() => held!.Derive("anything", new byte[32]), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Inspect_KeySetGoneBesideAStore_IsFatalAndRefusesSetup()
    {
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        await _box.LockAsync();
        File.Delete(_box.Paths.KeySet);

        using var restarted = new TestBox(_folder.Path);

        Assert.That(restarted.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.KeysetMissing }));
        Assert.That(await restarted.SetUpAsync(), Is.EqualTo(VaultOutcome.Faulted));
        Assert.That(File.Exists(_box.Paths.KeySet), Is.False);
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("""{"version":1}""")]
    [TestCase("""{"version":99,"kdf":"argon2id","memory_mib":64,"iterations":2,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","wrapped_data_key":""}""")]
    [TestCase("""{"version":1,"kdf":"argon2id","memory_mib":2000000000,"iterations":2,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","wrapped_data_key":"AAAA"}""")]
    [TestCase("""{"version":1,"kdf":"argon2id","memory_mib":-1,"iterations":0,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","wrapped_data_key":"AAAA"}""")]
    [TestCase("""{"version":1,"kdf":"argon2id","memory_mib":64,"iterations":2,"salt":null,"wrapped_data_key":null}""")]
    [TestCase("""{"version":1,"kdf":"scrypt","memory_mib":64,"iterations":2,"salt":"AAAA","wrapped_data_key":"AAAA"}""")]
    public async Task Inspect_HostileKeySetFile_IsFatalAndNeverThrows(string content)
    {
        await File.WriteAllTextAsync(_box.Paths.KeySet, content);

        using var restarted = new TestBox(_folder.Path);

        Assert.That(restarted.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.KeysetCorrupt }));
        Assert.That(restarted.Vault.State, Is.EqualTo(VaultState.Faulted));
        Assert.That(await restarted.UnlockAsync(), Is.EqualTo(VaultOutcome.Faulted));
    }

    [Test]
    public async Task Inspect_EveryByteOfTheKeySetFlipped_NeverUnlocksAndNeverThrows()
    {
        await _box.SetUpAsync();
        var good = await File.ReadAllBytesAsync(_box.Paths.KeySet);
        var tried = 0;
        for (var i = 0; i < good.Length; i++)
        {
            var bad = (byte[])good.Clone();
            bad[i] ^= 0x15;
            await File.WriteAllBytesAsync(_box.Paths.KeySet, bad);
            using var restarted = new TestBox(_folder.Path);
            if (restarted.Vault.State == VaultState.Locked) tried++;

            Assert.That(await restarted.UnlockAsync(), restarted.Vault.State == VaultState.Locked ? Is.EqualTo(VaultOutcome.WrongPassword)
                : Is.EqualTo(VaultOutcome.Faulted), $"byte {i}");
        }

        Assert.That(tried, Is.GreaterThan(20), "so many could be read, and were tried with the right password");
    }

    [Test]
    public async Task KeySetFile_LeftoverOfAKilledWrite_IsRemoved()
    {
        await _box.SetUpAsync();
        var leftover = _box.Paths.KeySet + ".0123.tmp";
        await File.WriteAllTextAsync(leftover, "half");

        _box.Vault.Inspect();

        Assert.That(File.Exists(leftover), Is.False);
    }
}
