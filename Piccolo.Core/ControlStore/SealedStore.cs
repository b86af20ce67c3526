using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Core.ControlStore;

/// <summary>
/// The control store: what the owner wants, in SQLite with sealed rows. One writer at a time; each commit is one transaction that also raises the
/// revision, and wakes the loops. Open only while the vault is unlocked. Thread-safe.
/// </summary>
public sealed class SealedStore(StatePaths paths, HealthTracker health, ILogger<SealedStore> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private SqliteConnection? _connection;
    private RowSeal? _seal;
    private long _revision;

    /// <summary>Raised after each commit, and when the store opens or closes.</summary>
    public ChangeSignal Changed { get; } = new();

    public bool IsOpen => Volatile.Read(ref _seal) is not null;

    /// <summary>Grows by one with each commit; 0 while sealed.</summary>
    public long Revision => IsOpen ? Volatile.Read(ref _revision) : 0;

    /// <summary>Migrates where needed, verifies every row, and takes the store into use.</summary>
    /// <exception cref="StoreFaultException">The store is damaged; the fault is latched.</exception>
    public void Open(DataKey dataKey)
    {
        lock (_gate)
        {
            if (_seal is not null) return;
            var seal = new RowSeal(dataKey);
            SqliteConnection? connection = null;
            try
            {
                connection = Guarded(() => StoreFile.Open(paths.ControlStore, logger));
                Guarded(() => StoreRows.Verify(connection, seal));
                _revision = Guarded(() => StoreFile.ReadRevision(connection));
                _connection = connection;
                Volatile.Write(ref _seal, seal);
            }
            catch
            {
                connection?.Dispose();
                seal.Dispose();
                throw;
            }
            health.Ok(HealthComponents.Store, $"open at revision {_revision}");
            logger.StoreOpened(_revision);
        }
        Changed.Raise();
    }

    public void Close()
    {
        lock (_gate)
        {
            if (_seal is not { } seal) return;
            Volatile.Write(ref _seal, null);
            _connection?.Dispose();
            _connection = null;
            seal.Dispose();
            health.Ok(HealthComponents.Store, "sealed");
        }
        Changed.Raise();
    }

    public T? Get<T>(StoreCollection<T> collection, string key) where T : class => Read((c, s) => StoreRows.Get(c, null, s, collection, key));

    public IReadOnlyList<T> List<T>(StoreCollection<T> collection) where T : class => Read((c, s) => StoreRows.List(c, null, s, collection));

    /// <summary>Runs <paramref name="change"/> in one transaction. A callback that writes nothing leaves the revision as it is.</summary>
    public TResult Commit<TResult>(Func<StoreTransaction, TResult> change)
    {
        TResult result;
        bool wrote;
        lock (_gate)
        {
            var (connection, seal) = InUse();
            (result, wrote) = Guarded(() =>
            {
                using var transaction = connection.BeginTransaction();
                var session = new StoreTransaction(connection, transaction, seal);
                var value = change(session);
                if (!session.Wrote) return (value, false);
                var revision = StoreFile.RaiseRevision(connection, transaction);
                transaction.Commit();
                Volatile.Write(ref _revision, revision);
                return (value, true);
            });
        }
        if (wrote) Changed.Raise();
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
        lock (_gate)
        {
            var (connection, seal) = InUse();
            return Guarded(() => read(connection, seal));
        }
    }

    private (SqliteConnection, RowSeal) InUse() => _seal is { } seal ? (_connection!, seal) : throw new StoreSealedException();

    private void Guarded(Action action) => Guarded<object?>(() =>
    {
        action();
        return null;
    });

    /// <summary>Turns what SQLite says into a latched fault, so that nobody limps on.</summary>
    private TResult Guarded<TResult>(Func<TResult> action)
    {
        try
        {
            return action();
        }
        catch (SqliteException e)
        {
            var fault = StoreFile.Classify(e);
            health.Latch(fault.Code, HealthComponents.Store, fault.Message);
            throw fault;
        }
        catch (StoreFaultException e)
        {
            health.Latch(e.Code, HealthComponents.Store, e.Message);
            throw;
        }
    }
}
