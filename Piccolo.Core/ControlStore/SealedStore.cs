using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Primitives.Sockets;
using Piccolo.Core.Vault;

namespace Piccolo.Core.ControlStore;

/// <summary>
/// The control store: what the owner wants, in SQLite with sealed rows. One writer at a time; each commit is one transaction that also raises the
/// revision, and wakes the loops. Open only while the vault is unlocked. While a fault of the store is latched it takes no writes. Thread-safe.
/// </summary>
public sealed partial class SealedStore(StatePaths paths, HealthTracker health, ILogger<SealedStore> logger, TimeProvider? time = null) : IDisposable
{
    private readonly Lock _gate = new();
    private SqliteConnection? _connection;
    private RowSeal? _seal;
    private StoreHead _head = StoreHead.Empty;
    private UnreadableRows _unreadable = new(logger);

    /// <summary>Raised after each commit, but for those to quiet collections only, and when the store opens or closes.</summary>
    public ChangeSignal Changed { get; } = new();

    public bool IsOpen => Volatile.Read(ref _seal) is not null;

    /// <summary>Grows by one with each commit; 0 while sealed.</summary>
    public long Revision => IsOpen ? Volatile.Read(ref _head).Revision : 0;

    internal StoreSchema Schema { get; init; } = StoreSchema.Current;

    /// <summary>The one that commits and reads use; null while sealed. For tests.</summary>
    internal SqliteConnection? Connection => _connection;

    /// <summary>
    /// Migrates where needed, verifies the whole store, and takes it into use. On a disk that is full or read-only it opens for reading, with that fault
    /// latched.
    /// </summary>
    /// <exception cref="StoreFaultException">The store is damaged; the fault is latched.</exception>
    public void Open(DataKey dataKey)
    {
        lock (_gate)
        {
            if (_seal is not null) return;
            var seal = new RowSeal(dataKey);
            try
            {
                (_connection, _head) = Guarded(() => OpenVerified(seal));
                _unreadable = new UnreadableRows(logger);
                Volatile.Write(ref _seal, seal);
            }
            catch
            {
                seal.Dispose();
                throw;
            }
            WriteAnchor(seal);
            health.Ok(HealthComponents.Store, $"open at revision {_head.Revision}");
            logger.StoreOpened(_head.Revision);
        }
        Changed.Raise();
    }

    public void Close()
    {
        lock (_gate)
        {
            if (_seal is not { } seal) return;
            WriteAnchor(seal);
            Volatile.Write(ref _seal, null);
            _connection?.Dispose();
            _connection = null;
            seal.Dispose();
            health.Ok(HealthComponents.Store, "sealed");
        }
        Changed.Raise();
    }

    public T? Get<T>(StoreCollection<T> collection, string key) where T : class => Read((c, s) => StoreRows.Get(c, null, s, collection, key, _unreadable));

    public IReadOnlyList<T> List<T>(StoreCollection<T> collection) where T : class => Read((c, s) => StoreRows.List(c, null, s, collection, _unreadable));

    /// <summary>The keys of rows that reading left out so far, because a newer release wrote them in a form that this one does not know.</summary>
    public IReadOnlyList<string> UnreadableKeys<T>(StoreCollection<T> collection) where T : class => _unreadable.KeysOf(collection.Name);

    /// <summary>Runs <paramref name="change"/> in one transaction. A callback that writes nothing leaves the revision as it is.</summary>
    /// <exception cref="StoreFaultException">A fault of the store is latched, by this commit or before it; nothing was changed.</exception>
    public TResult Commit<TResult>(Func<StoreTransaction, TResult> change)
    {
        LoopThread.MustNotBlock();
        using var span = Traces.Source.StartActivity("store commit");
        TResult result;
        bool wakes;
        lock (_gate)
        {
            var (connection, seal) = InUse();
            RefuseWhileFaulted();
            (result, wakes) = Guarded(() =>
            {
                using var transaction = connection.BeginTransaction();
                using var changes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var session = new StoreTransaction(connection, transaction, seal, _head.State, changes, _unreadable);
                var value = change(session);
                if (!session.Wrote) return (value, false);
                var next = RevisionLog.Append(connection, transaction, seal.Chain, _head, session.State, changes.GetHashAndReset());
                transaction.Commit();
                // Memory follows the disk, never the other way round.
                Volatile.Write(ref _head, next);
                return (value, session.Wakes);
            });
        }
        if (wakes) Changed.Raise();
        return result;
    }

    public void Commit(Action<StoreTransaction> change) => Commit<object?>(transaction =>
    {
        change(transaction);
        return null;
    });

    public void Dispose() => Close();

    private TResult Read<TResult>(Func<SqliteConnection, RowSeal, TResult> read)
    {
        LoopThread.MustNotBlock();
        lock (_gate)
        {
            var (connection, seal) = InUse();
            return Guarded(() => read(connection, seal));
        }
    }

    private (SqliteConnection, RowSeal) InUse() => _seal is { } seal ? (_connection!, seal) : throw new StoreSealedException();

    private void RefuseWhileFaulted()
    {
        if (health.Snapshot.Faults.Values.FirstOrDefault(f => f.Component == HealthComponents.Store) is { } fault)
            throw new StoreFaultException(fault.Code, fault.Detail);
    }

    private (SqliteConnection, StoreHead) OpenVerified(RowSeal seal)
    {
        SqliteConnection? connection = null;
        try
        {
            var anchor = ReadAnchor(seal);
            connection = OpenFile();
            return (connection, StoreVerifier.Verify(connection, seal, anchor));
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    private SqliteConnection OpenFile()
    {
        try
        {
            return Translated(() => StoreFile.Open(paths.ControlStore, Schema, SnapshotBeforeMigration, logger));
        }
        catch (StoreFaultException e) when (StoreFaults.IsDiskFault(e.Code) && File.Exists(paths.ControlStore))
        {
            health.Latch(e.Code, HealthComponents.Store, e.Message);
            return Translated(() => StoreFile.OpenWithoutWriting(paths.ControlStore, Schema));
        }
    }

    private StoreAnchor? ReadAnchor(RowSeal seal)
    {
        var anchor = StoreAnchor.Read(paths.ControlStoreAnchor, seal.Chain);
        // SQLite would take an empty file for a new store.
        if (anchor is not null && (!File.Exists(paths.ControlStore) || new FileInfo(paths.ControlStore).Length == 0))
            throw new StoreFaultException(FaultCode.StoreCorrupt, "The control store has gone from the disk or was emptied. Put back a snapshot or an export.");
        return anchor;
    }

    private void WriteAnchor(RowSeal seal)
    {
        if (health.Snapshot.Faults.Values.Any(f => f.Component == HealthComponents.Store)) return;
        try
        {
            StoreAnchor.Write(paths.ControlStoreAnchor, seal.Chain, _head);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An older anchor is a weaker check, not a wrong one.
            logger.AnchorNotWritten(e.Message);
        }
    }

    /// <summary>Latches what SQLite or the disk says, so that later calls fail fast.</summary>
    private TResult Guarded<TResult>(Func<TResult> action)
    {
        try
        {
            return Translated(action);
        }
        catch (StoreFaultException e)
        {
            health.Latch(e.Code, HealthComponents.Store, e.Message);
            throw;
        }
    }

    private TResult Translated<TResult>(Func<TResult> action)
    {
        try
        {
            return action();
        }
        catch (SqliteException e)
        {
            throw StoreFaults.From(e, paths.ControlStore);
        }
        catch (IOException e)
        {
            throw StoreFaults.From(e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw StoreFaults.From(e);
        }
    }
}
