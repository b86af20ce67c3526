using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Vault;

/// <summary>Where the vault stands.</summary>
public enum VaultState
{
    /// <summary>No key set and no store: the next owner may claim the box.</summary>
    Unclaimed,
    Locked,
    Unlocked,

    /// <summary>The key set cannot be used; a fatal fault says why.</summary>
    Faulted,
}

/// <summary>How an attempt to claim or open the vault ended.</summary>
public enum VaultOutcome
{
    Done,
    WrongPassword,
    NotSetUp,
    AlreadySetUp,
    Faulted,
}

/// <summary>
/// Holds the data key while unlocked. One password opens it. Argon2 runs one at a time and never under a lock that readers of <see cref="State"/> need.
/// Thread-safe.
/// </summary>
public sealed class ApplianceVault(StatePaths paths, IOptions<VaultOptions> options, HealthTracker health, ILogger<ApplianceVault> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private volatile DataKey? _dataKey;
    private volatile bool _faulted;
    private volatile bool _claimed;

    /// <summary>Raised after each change of <see cref="State"/>.</summary>
    public ChangeSignal Changed { get; } = new();

    public VaultState State => _faulted ? VaultState.Faulted : _dataKey is not null ? VaultState.Unlocked : _claimed ? VaultState.Locked : VaultState.Unclaimed;

    /// <summary>Looks at what lies on the disk, at start and after a fault was cleared. Latches a fault where that is not whole.</summary>
    public void Inspect()
    {
        AtomicFile.DeleteLeftovers(paths.KeySet);
        _claimed = File.Exists(paths.KeySet);
        _faulted = false;
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
        using var dataKey = DataKey.Generate();
        var keySet = await Task.Run(() => KeySet.Create(password, dataKey, options.Value.Kdf.ToCost()), cancellationToken);
        // It belonged to a store that is no more.
        File.Delete(paths.ControlStoreAnchor);
        AtomicFile.Write(paths.KeySet, keySet.ToJson());
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
        if (_faulted) return VaultOutcome.Faulted;
        if (!_claimed) return VaultOutcome.NotSetUp;
        if (TryReadKeySet() is not { } keySet) return VaultOutcome.Faulted;
        var dataKey = await Task.Run(() => keySet.Open(password), cancellationToken);
        if (dataKey is null) return VaultOutcome.WrongPassword;
        if (_dataKey is not null)
        {
            dataKey.Dispose();
            return VaultOutcome.Done;
        }
        try
        {
            open(dataKey);
        }
        catch
        {
            dataKey.Dispose();
            throw;
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
        close();
        dataKey.Dispose();
        health.Ok(HealthComponents.Vault, "locked");
        logger.Locked();
        Changed.Raise();
    }

    public void Dispose()
    {
        _dataKey?.Dispose();
        _oneAtATime.Dispose();
    }

    private KeySet? TryReadKeySet()
    {
        try
        {
            return KeySet.Parse(File.ReadAllBytes(paths.KeySet));
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
