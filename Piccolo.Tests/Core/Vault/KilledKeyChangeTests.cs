using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Core.Durability;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Vault;

/// <summary>
/// The process dies while it replaces the key set: until the rename the old one is in force, from then on the new one. A change of the password dies in each
/// step; the others go through the same replacement and die on both sides of the rename.
/// </summary>
[Category("Kill"), Category("Sealed"), Category("NeedsProcess")]
internal sealed class KilledKeyChangeTests
{
    private const string KeySet = "keyset.json";
    private WriteRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new WriteRig();

    [TearDown]
    public void TearDown() => _rig.Dispose();

    [Test]
    public async Task PasswordChange_Killed_OneOfTheTwoPasswordsOpens([Values] WriteStep step)
    {
        await _rig.OwnAsync();

        await _rig.KillAtAsync("change", step, KeySet);

        using var box = new TestBox(_rig.State);
        await AssertOnlyOneOpensAsync(box, step);
        Assert.That(Directory.EnumerateFiles(_rig.State, "*.tmp"), Is.Empty);
        Assert.That(box.Store.Get(WritingChild.Notes, "before"), Is.Not.Null);
    }

    [Test]
    public async Task Reset_Killed_OneOfTheTwoPasswordsOpensAndTheWordsStayGood([Values(WriteStep.Flushed, WriteStep.Renamed)] WriteStep step)
    {
        await _rig.OwnAsync();
        await _rig.MakeWordsAsync();

        await _rig.KillAtAsync("reset", step, KeySet);

        using var box = new TestBox(_rig.State);
        await AssertOnlyOneOpensAsync(box, step);
        Assert.That(await box.Vault.ResetPasswordAsync(await File.ReadAllTextAsync(_rig.Mark(WriteRig.Words)), "a third password of mine",
            CancellationToken.None), Is.EqualTo(VaultOutcome.Done));
        Assert.That(await box.UnlockAsync("a third password of mine"), Is.EqualTo(VaultOutcome.Done));
    }

    [Test]
    public async Task RecoveryKeyRotated_Killed_TheOldWordsAreGoodUntilTheRename([Values(WriteStep.Flushed, WriteStep.Renamed)] WriteStep step)
    {
        await _rig.OwnAsync();
        await _rig.MakeWordsAsync();

        await _rig.KillAtAsync("recovery-key", step, KeySet);

        using var box = new TestBox(_rig.State);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        var reset = await box.Vault.ResetPasswordAsync(await File.ReadAllTextAsync(_rig.Mark(WriteRig.Words)), WriteRig.NewPassword, CancellationToken.None);
        // From the rename on there are new words, which died with the process; the password makes others.
        Assert.That(reset, Is.EqualTo(step < WriteStep.Renamed ? VaultOutcome.Done : VaultOutcome.WrongRecoveryKey));
    }

    [Test]
    public async Task UnlockThatRaisesTheCost_Killed_ThePasswordOpens([Values(WriteStep.Flushed, WriteStep.Renamed)] WriteStep step)
    {
        await _rig.OwnAsync();

        await _rig.KillAtAsync("raise-cost", step, KeySet);

        Assert.That(await File.ReadAllTextAsync(Path.Combine(_rig.State, KeySet)),
            Does.Contain(step < WriteStep.Renamed ? "\"iterations\": 2" : "\"iterations\": 3"));
        using var box = new TestBox(_rig.State, iterations: 3);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_rig.State, KeySet)), Does.Contain("\"iterations\": 3"));
    }

    [Test]
    public async Task SetUp_Killed_IsUnclaimedUntilTheRenameAndOpensFromThen([Values(WriteStep.Flushed, WriteStep.Renamed)] WriteStep step)
    {
        await _rig.KillAtAsync("set-up", step, KeySet);

        using var box = new TestBox(_rig.State);
        Assert.That(box.Vault.State, Is.EqualTo(step < WriteStep.Renamed ? VaultState.Unclaimed : VaultState.Locked));
        if (box.Vault.State == VaultState.Unclaimed) await box.SetUpAsync();
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
    }

    private static async Task AssertOnlyOneOpensAsync(TestBox box, WriteStep step)
    {
        var (good, other) = step < WriteStep.Renamed ? (TestBox.Password, WriteRig.NewPassword) : (WriteRig.NewPassword, TestBox.Password);
        Assert.That(await box.UnlockAsync(other), Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(await box.UnlockAsync(good), Is.EqualTo(VaultOutcome.Done));
    }
}
