using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Vault;

/// <summary>
/// Holds the data key while unlocked. One password opens it, and so do the recovery words. Argon2 runs one at a time and never under a lock that readers
/// of <see cref="State"/> need. Thread-safe.
/// </summary>
public sealed partial class ApplianceVault(StatePaths paths, IOptions<VaultOptions> options, HealthTracker health, ILogger<ApplianceVault> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private volatile DataKey? _dataKey;
    private volatile bool _faulted;
    private volatile bool _claimed;
    private volatile KeyStatus _keys = KeyStatus.None;
    private long _tokenEpoch;

    /// <summary>Raised after each change of <see cref="State"/> or <see cref="Keys"/>.</summary>
    public ChangeSignal Changed { get; } = new();

    public VaultState State => _faulted ? VaultState.Faulted : _dataKey is not null ? VaultState.Unlocked : _claimed ? VaultState.Locked : VaultState.Unclaimed;

    /// <summary>Known while locked, too.</summary>
    public KeyStatus Keys => _keys;

    private KdfCost ConfiguredCost => options.Value.Kdf.ToCost();

    /// <summary>Looks at what lies on the disk, at start, before anybody else uses the vault. Latches a fault where that is not whole.</summary>
    public void Inspect()
    {
        AtomicFile.DeleteLeftovers(paths.KeySet);
        var claimed = File.Exists(paths.KeySet);
        if (claimed) _faulted = TryReadKeySet() is null;
        else if (_faulted = File.Exists(paths.ControlStore))
            Fault(
                FaultCode.KeysetMissing,
                "The control store exists but its key set is missing; without the key set nothing in it can be read. Restore keyset.json from a backup.");
        if (!claimed || _faulted) _keys = KeyStatus.None;
        _claimed = claimed;
        if (!_faulted) health.Ok(HealthComponents.Vault, State switch { VaultState.Unlocked => "unlocked", VaultState.Locked => "locked", _ => "not set up" });
        Changed.Raise();
    }

    /// <summary>The same after a fault was cleared, while nobody changes the keys.</summary>
    public async Task InspectAsync(CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        Inspect();
    }

    /// <summary>
    /// Tells the vault the highest token epoch that the store knows, which is sealed there. A file that says less is an older copy or was changed: that is
    /// latched, and the higher one counts, so that no revoked token comes back.
    /// </summary>
    public async Task RequireTokenEpochAsync(long epoch, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (epoch <= _tokenEpoch) return;
        _tokenEpoch = epoch;
        if (_claimed) _ = TryReadKeySet();
    }

    /// <summary>Makes a fresh key set. The vault stays locked. Never over an existing store.</summary>
    public async Task<VaultOutcome> SetUpAsync(string password, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (_faulted) return VaultOutcome.Faulted;
        if (_claimed || File.Exists(paths.ControlStore)) return VaultOutcome.AlreadySetUp;
        var keySet = await LowPriorityThread.RunAsync(() =>
        {
            if (PasswordPolicy.Advise(password) is not null) return null;
            using var dataKey = DataKey.Generate();
            return KeySet.Create(password, dataKey, ConfiguredCost);
        });
        if (keySet is null) return VaultOutcome.WeakPassword;
        // It belonged to a store that is no more.
        File.Delete(paths.ControlStoreAnchor);
        if (!TryWrite(keySet)) return VaultOutcome.NotStored;
        _claimed = true;
        health.Ok(HealthComponents.Vault, "locked");
        logger.SetUp();
        Changed.Raise();
        return VaultOutcome.Done;
    }

    /// <summary>
    /// Lets <paramref name="place"/> put another box's key set and store onto this one, which nobody has claimed. The vault is locked afterwards.
    /// </summary>
    public async Task<VaultOutcome> AdoptAsync(Action place, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (_faulted) return VaultOutcome.Faulted;
        if (_claimed || File.Exists(paths.ControlStore)) return VaultOutcome.AlreadySetUp;
        place();
        Inspect();
        return _faulted ? VaultOutcome.Faulted : VaultOutcome.Done;
    }

    /// <summary>
    /// Opens the key set and lets <paramref name="open"/> take the key into use; only when that succeeded is the vault unlocked. Checks the password
    /// also when already unlocked.
    /// </summary>
    public async Task<VaultOutcome> UnlockAsync(string password, Action<DataKey> open, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        var (outcome, keySet) = ReadKeySet();
        if (keySet is null) return outcome;
        var dataKey = await LowPriorityThread.RunAsync(() => keySet.Password.Open(password));
        if (dataKey is null) return VaultOutcome.WrongPassword;
        try
        {
            await RaiseCostAsync(keySet, password, dataKey);
            if (_dataKey is null) open(dataKey);
        }
        catch
        {
            dataKey.Dispose();
            throw;
        }
        if (_dataKey is not null)
        {
            dataKey.Dispose();
            return VaultOutcome.Done;
        }
        _dataKey = dataKey;
        health.Ok(HealthComponents.Vault, "unlocked");
        logger.Unlocked();
        Changed.Raise();
        return VaultOutcome.Done;
    }

    /// <summary>Wipes the key after <paramref name="close"/> has put down what used it.</summary>
    public async Task LockAsync(Action close, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (_dataKey is not { } dataKey) return;
        _dataKey = null;
        try
        {
            close();
        }
        finally
        {
            // Whatever could not be put down: without the key it opens nothing any more.
            dataKey.Dispose();
        }
        health.Ok(HealthComponents.Vault, "locked");
        logger.Locked();
        Changed.Raise();
    }

    public void Dispose()
    {
        _dataKey?.Dispose();
        _oneAtATime.Dispose();
    }

    /// <summary>The key set when it can be used, else why not.</summary>
    private (VaultOutcome Outcome, KeySet? KeySet) ReadKeySet() =>
        _faulted ? (VaultOutcome.Faulted, null)
        : !_claimed ? (VaultOutcome.NotSetUp, null)
        : TryReadKeySet() is { } keySet ? (VaultOutcome.Done, keySet)
        : (VaultOutcome.Faulted, null);

    private KeySet? TryReadKeySet()
    {
        try
        {
            var keySet = KeySet.Parse(KeySetFile.Read(paths.KeySet));
            if ((keySet.TokenEpoch ?? 0) < _tokenEpoch)
            {
                health.Latch(FaultCode.KeysetCorrupt, HealthComponents.Vault,
                    "The key set is older than the control store: keyset.json was put back from a copy, or changed. "
                    + "Tokens that were revoked stay so. Change the password, then clear the fault.");
                keySet = keySet with { TokenEpoch = _tokenEpoch };
            }
            Show(keySet);
            return keySet;
        }
        catch (KeySetCorruptException e)
        {
            Fault(FaultCode.KeysetCorrupt, $"The key set cannot be used: {e.Message}. Restore keyset.json from a backup.");
        }
        catch (FileNotFoundException)
        {
            Fault(FaultCode.KeysetMissing, "The key set has gone from the disk. Restore keyset.json from a backup.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fault(FaultCode.KeysetCorrupt, "The key set cannot be read from the disk.");
        }
        return null;
    }

    private bool TryWrite(KeySet keySet)
    {
        try
        {
            AtomicFile.Write(paths.KeySet, keySet.ToJson());
            Show(keySet);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.KeySetNotWritten(e);
            return false;
        }
    }

    private void Show(KeySet keySet)
    {
        var keys = KeyStatus.Of(keySet);
        if (keys == _keys) return;
        _keys = keys;
        Changed.Raise();
    }

    private void Fault(FaultCode code, string detail)
    {
        _faulted = true;
        health.Latch(code, HealthComponents.Vault, detail);
    }

    private async Task<Turn> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        return new Turn(_oneAtATime);
    }

    private readonly struct Turn(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
