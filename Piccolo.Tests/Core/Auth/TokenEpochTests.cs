using Piccolo.Core.Auth;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Auth;

/// <summary>Revoked tokens stay revoked, whatever copy of the key set is put on the disk.</summary>
[Category("Sealed")]
internal sealed class TokenEpochTests : OwnedBoxFixture
{
    private const string NewPassword = "harbour kettle violin mosaic";

    [Test]
    public async Task OlderKeySet_PutBackWhileLocked_RevivesNothingAndIsAFault()
    {
        var before = await File.ReadAllBytesAsync(Box.Paths.KeySet);
        var (revoked, _) = TokensOf(Box).Create("stolen", TokenScope.Write, null)!.Value;
        await Box.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, revokeTokens: true, CancellationToken.None);
        await TokensOf(Box).KeepEpochAsync(CancellationToken.None);
        var (good, _) = TokensOf(Box).Create("script", TokenScope.Write, null)!.Value;
        Box.Dispose();
        await File.WriteAllBytesAsync(FileOf("keyset.json"), before);

        using var next = new TestBox(Path.GetDirectoryName(FileOf("keyset.json"))!);
        Assert.That(await next.UnlockAsync(), Is.EqualTo(VaultOutcome.Done), "the owner's copy still opens the box");
        var tokens = TokensOf(next);
        Assert.That(tokens.Find(revoked), Is.Null, "before anybody compared");
        await tokens.KeepEpochAsync(CancellationToken.None);

        Assert.That(tokens.Find(revoked), Is.Null);
        Assert.That(tokens.Find(good), Is.Not.Null);
        Assert.That(next.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.KeysetCorrupt }));

        next.Health.Clear(FaultCode.KeysetCorrupt);
        await next.Vault.InspectAsync(CancellationToken.None);
        Assert.That(next.Health.Snapshot.Ready, Is.False, "it persists");
        Assert.That(next.Vault.State, Is.EqualTo(VaultState.Unlocked));
        await next.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, revokeTokens: false, CancellationToken.None);
        next.Health.Clear(FaultCode.KeysetCorrupt);
        await next.Vault.InspectAsync(CancellationToken.None);
        Assert.That(next.Health.Snapshot.Ready, Is.True);
        Assert.That(tokens.Find(good), Is.Not.Null);
        Assert.That(tokens.Find(revoked), Is.Null);
    }

    [Test]
    public async Task Epoch_PastThirtyOneBits_GoesOn()
    {
        var text = await File.ReadAllTextAsync(Box.Paths.KeySet);
        await Box.LockAsync();
        await File.WriteAllTextAsync(Box.Paths.KeySet,
            text.Replace("\"version\": 2,", $"\"version\": 2, \"token_epoch\": {int.MaxValue},", StringComparison.Ordinal));

        await Box.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, revokeTokens: true, CancellationToken.None);

        Assert.That(Box.Vault.Keys.TokenEpoch, Is.EqualTo(int.MaxValue + 1L));
    }

    [Test]
    public async Task Loop_RevocationWhileUnlocked_IsSealedAtOnce()
    {
        var tokens = TokensOf(Box);
        using var loop = new TokenEpochLoop(tokens, Box.Store, Box.Vault, Box.Time, Box.Log.For<TokenEpochLoop>());
        await loop.StartAsync(CancellationToken.None);
        var pause = TimeSpan.FromMinutes(5);
        await Box.Time.ArmedAsync(pause);
        // So that the loop's next pause ends at another time than this one.
        Box.Time.Advance(TimeSpan.FromSeconds(1));
        var before = Box.Store.Revision;

        await Box.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, revokeTokens: true, CancellationToken.None);
        await Box.Time.ArmedAsync(pause);

        Assert.That(Box.Store.Revision, Is.EqualTo(before + 1));
        await loop.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task Inspect_WhileTheKeysAreUsed_NeverShowsAnotherEpoch()
    {
        await Box.Vault.ChangePasswordAsync(TestBox.Password, NewPassword, revokeTokens: true, CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var inspecting = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await Box.Vault.InspectAsync(CancellationToken.None);
        });

        for (var i = 0; i < 100_000; i++) Assert.That((Box.Vault.Keys.TokenEpoch, Box.Vault.State), Is.EqualTo((1, VaultState.Unlocked)));

        await stop.CancelAsync();
        await inspecting;
    }

    private static ApiTokenStore TokensOf(TestBox box) => new(box.Store, box.Vault, new SessionTable(box.Time), box.Time);
}
