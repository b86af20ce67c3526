using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.Vault;

/// <summary>Changing the password, and the way back in with the recovery words.</summary>
[Category("Sealed")]
internal sealed class KeyChangeTests
{
    private const string NewPassword = "harbour kettle violin mosaic";

    private static readonly StoreCollection<Note> Notes = new("notes");

    private TempFolder _folder = null!;
    private TestBox _box = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task SetUp_WeakPassword_MakesNothing()
    {
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);

        Assert.That(await box.Vault.SetUpAsync("password123", CancellationToken.None), Is.EqualTo(VaultOutcome.WeakPassword));
        Assert.That(box.Vault.State, Is.EqualTo(VaultState.Unclaimed));
        Assert.That(File.Exists(box.Paths.KeySet), Is.False);
    }

    [Test]
    public async Task ChangePassword_OldOne_StopsOpeningAndTheNewOneOpensTheSameStore()
    {
        await _box.UnlockAsync();
        _box.Store.Commit(t => t.Put(Notes, "a", new Note("kept")));

        Assert.That(await ChangeAsync(TestBox.Password, NewPassword), Is.EqualTo(VaultOutcome.Done));
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Unlocked));
        await _box.LockAsync();

        Assert.That(await _box.UnlockAsync(), Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(await _box.UnlockAsync(NewPassword), Is.EqualTo(VaultOutcome.Done));
        Assert.That(_box.Store.Get(Notes, "a"), Is.EqualTo(new Note("kept")));
    }

    [TestCase("wrong", NewPassword, VaultOutcome.WrongPassword)]
    [TestCase(TestBox.Password, "1234567890", VaultOutcome.WeakPassword)]
    [TestCase("wrong", "weak", VaultOutcome.WrongPassword)]
    public async Task ChangePassword_Refused_LeavesTheFileAsItIs(string old, string next, VaultOutcome expected)
    {
        var before = await File.ReadAllBytesAsync(_box.Paths.KeySet);

        Assert.That(await ChangeAsync(old, next), Is.EqualTo(expected));
        Assert.That(await File.ReadAllBytesAsync(_box.Paths.KeySet), Is.EqualTo(before));
    }

    [Test, Category("NeedsRoot")]
    public async Task ChangePassword_DiskIsFull_OldOneStaysInForceAndNothingIsLeftBehind()
    {
        using var disk = MountedFolder.Tmpfs(64);
        using var box = new TestBox(disk.Path);
        await box.SetUpAsync();
        FillUp(disk.Path);

        Assert.That(await box.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, false, CancellationToken.None), Is.EqualTo(VaultOutcome.NotStored));
        Assert.That(await box.Vault.UnlockAsync(TestBox.Password, _ => { }, CancellationToken.None), Is.EqualTo(VaultOutcome.Done));
        Assert.That(Directory.EnumerateFiles(disk.Path, "*.tmp"), Is.Empty);
    }

    [Test]
    public async Task Reset_WithTheWords_SetsThePasswordAndStaysLocked()
    {
        var words = await GenerateAsync();

        var outcome = await ResetAsync(string.Join("\n", words.Select((w, i) => $"{i + 1}. {w.ToUpperInvariant()}")));

        Assert.That(outcome, Is.EqualTo(VaultOutcome.Done));
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Locked));
        Assert.That(_box.Vault.Keys, Is.EqualTo(new KeyStatus(RecoveryPresent: true, PasswordStale: true, RecoveryStale: true, TokenEpoch: 1)));
        Assert.That(await _box.UnlockAsync(), Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(await _box.UnlockAsync(NewPassword), Is.EqualTo(VaultOutcome.Done));
    }

    [Test]
    public async Task Reset_WordsStayValidUntilRotated()
    {
        var words = string.Join(' ', await GenerateAsync());
        await ResetAsync(words);
        Assert.That(await _box.Vault.ResetPasswordAsync(words, TestBox.Password, CancellationToken.None), Is.EqualTo(VaultOutcome.Done));

        await GenerateAsync();

        Assert.That(await ResetAsync(words), Is.EqualTo(VaultOutcome.WrongRecoveryKey));
    }

    [TestCase(null, VaultOutcome.NoRecoveryKey)]
    [TestCase("zoo zoo zoo", VaultOutcome.WrongRecoveryKey)]
    [TestCase("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote", VaultOutcome.WrongRecoveryKey)]
    public async Task Reset_NotTheWords_ChangesNothing(string? words, VaultOutcome expected)
    {
        if (words is not null) await GenerateAsync();
        var before = await File.ReadAllBytesAsync(_box.Paths.KeySet);

        Assert.That(await ResetAsync(words ?? "anything"), Is.EqualTo(expected));
        Assert.That(await File.ReadAllBytesAsync(_box.Paths.KeySet), Is.EqualTo(before));
    }

    [Test]
    public async Task Generate_WrongPassword_MakesNone()
    {
        Assert.That((await _box.Vault.GenerateRecoveryKeyAsync("wrong", CancellationToken.None)).Outcome, Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(_box.Vault.Keys.RecoveryPresent, Is.False);
    }

    [Test]
    public async Task Staleness_IsClearedByTheRightActsOnly()
    {
        await ResetAsync(string.Join(' ', await GenerateAsync()));

        await _box.Vault.AcknowledgeAsync(password: true, recovery: false, CancellationToken.None);
        Assert.That(_box.Vault.Keys, Is.EqualTo(new KeyStatus(true, false, true, 1)));
        await _box.Vault.GenerateRecoveryKeyAsync(NewPassword, CancellationToken.None);
        Assert.That(_box.Vault.Keys, Is.EqualTo(new KeyStatus(true, false, false, 1)));
    }

    [Test]
    public async Task Staleness_SurvivesARestartAndEndsWithAChange()
    {
        await ResetAsync(string.Join(' ', await GenerateAsync()));
        using var restarted = new TestBox(_folder.Path);
        Assert.That(restarted.Vault.Keys, Is.EqualTo(new KeyStatus(true, true, true, 1)));

        await restarted.Vault.ChangePasswordAsync(NewPassword, TestBox.Password, false, CancellationToken.None);

        Assert.That(restarted.Vault.Keys, Is.EqualTo(new KeyStatus(true, false, true, 1)));
    }

    [Test]
    public async Task Unlock_CostConfiguredHigher_IsRaisedOnceAndNeverLowered()
    {
        var dearer = Options.Create(new VaultOptions { Kdf = new KdfOptions { MemoryMiB = KdfCost.MinMemoryMiB, Iterations = KdfCost.MinIterations + 1 } });
        using var vault = new ApplianceVault(_box.Paths, dearer, _box.Health, _box.Log.For<ApplianceVault>());
        vault.Inspect();

        Assert.That(await vault.UnlockAsync(TestBox.Password, _ => { }, CancellationToken.None), Is.EqualTo(VaultOutcome.Done));
        var raised = await File.ReadAllBytesAsync(_box.Paths.KeySet);
        Assert.That(KeySet.Parse(raised).Password.GetCost(), Is.EqualTo(new KdfCost(KdfCost.MinMemoryMiB, KdfCost.MinIterations + 1)));

        Assert.That(await _box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done), "the cheaper configuration still opens it");
        Assert.That(await File.ReadAllBytesAsync(_box.Paths.KeySet), Is.EqualTo(raised));
    }

    [Test, Category("NeedsRoot")]
    public async Task Unlock_CostCannotBeRaisedOnAFullDisk_OpensAllTheSame()
    {
        using var disk = MountedFolder.Tmpfs(64);
        using (var box = new TestBox(disk.Path)) await box.SetUpAsync();
        FillUp(disk.Path);
        var dearer = Options.Create(new VaultOptions { Kdf = new KdfOptions { MemoryMiB = KdfCost.MinMemoryMiB, Iterations = KdfCost.MinIterations + 1 } });
        using var vault = new ApplianceVault(new StatePaths(disk.Path), dearer, _box.Health, _box.Log.For<ApplianceVault>());
        vault.Inspect();

        Assert.That(await vault.UnlockAsync(TestBox.Password, _ => { }, CancellationToken.None), Is.EqualTo(VaultOutcome.Done));
        Assert.That(vault.State, Is.EqualTo(VaultState.Unlocked));
    }

    [Test]
    public async Task RecoveryWords_AreNowhereOnTheDisk()
    {
        var words = await GenerateAsync();
        await _box.UnlockAsync();

        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories))
        {
            var text = System.Text.Encoding.Latin1.GetString(await ReadSharedAsync(file));
            Assert.That(text, Does.Not.Contain(string.Join(' ', words.Take(2))), file);
        }
    }

    private static void FillUp(string folder)
    {
        using var filler = new FileStream(Path.Combine(folder, "filler"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        Assert.That(() =>
        {
            for (var i = 0; i < 4096; i++) filler.Write(new byte[512]);
        }, Throws.InstanceOf<IOException>());
    }

    private async Task<IReadOnlyList<string>> GenerateAsync()
    {
        var password = await _box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None);
        Assert.That(password.Outcome, Is.EqualTo(VaultOutcome.Done));
        Assert.That(password.Words, Has.Count.EqualTo(RecoveryPhrase.WordCount));
        return password.Words;
    }

    private Task<VaultOutcome> ChangeAsync(string old, string next) => _box.Vault.ChangePasswordAsync(old, next, false, CancellationToken.None);

    private Task<VaultOutcome> ResetAsync(string words) => _box.Vault.ResetPasswordAsync(words, NewPassword, CancellationToken.None);

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var content = new MemoryStream();
        await stream.CopyToAsync(content);
        return content.ToArray();
    }

    private sealed record Note(string Text);
}
