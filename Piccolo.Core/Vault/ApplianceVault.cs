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

    /// <summary>Raised after each change of <see cref="State"/>.</summary>
    public ChangeSignal Changed { get; } = new();

    public VaultState State => _faulted ? VaultState.Faulted : _dataKey is not null ? VaultState.Unlocked : _claimed ? VaultState.Locked : VaultState.Unclaimed;

    /// <summary>Known while locked, too.</summary>
    public KeyStatus Keys => _keys;

    private KdfCost ConfiguredCost => options.Value.Kdf.ToCost();

    /// <summary>Looks at what lies on the disk, at start and after a fault was cleared. Latches a fault where that is not whole.</summary>
    public void Inspect()
    {
        AtomicFile.DeleteLeftovers(paths.KeySet);
        _claimed = File.Exists(paths.KeySet);
        _faulted = false;
        _keys = KeyStatus.None;
        if (_claimed) _ = TryReadKeySet();
        else if (File.Exists(paths.ControlStore))
            Fault(FaultCode.KeysetMissing, "The control store exists but its key set is missing; without the key set nothing in it can be read. Restore keyset.json from a backup.");
        if (!_faulted) health.Ok(HealthComponents.Vault, _claimed ? "locked" : "not set up");
        Changed.Raise();
    }

    /// <summary>Makes a fresh key set. The vault stays locked. Never over an existing store.</summary>
    public async Task<VaultOutcome> SetUpAsync(string password, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (_faulted) return VaultOutcome.Faulted;
        if (_claimed || File.Exists(paths.ControlStore)) return VaultOutcome.AlreadySetUp;
        var keySet = await OffPool.RunAsync(() =>
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

    /// <summary>Lets <paramref name="place"/> put another box's key set and store onto this one, which nobody has claimed. The vault is locked afterwards.</summary>
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
        var dataKey = await OffPool.RunAsync(() => keySet.Password.Open(password));
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
            _keys = KeyStatus.Of(keySet);
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
            _keys = KeyStatus.Of(keySet);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.KeySetNotWritten(e);
            return false;
        }
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
