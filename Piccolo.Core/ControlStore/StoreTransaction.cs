using Microsoft.Data.Sqlite;

namespace Piccolo.Core.ControlStore;

/// <summary>Reads and writes of one commit: all of it happens or nothing. Valid only inside the callback that received it.</summary>
public sealed class StoreTransaction
{
    private readonly SqliteConnection _connection;
    private readonly SqliteTransaction _transaction;
    private readonly RowSeal _seal;

    internal StoreTransaction(SqliteConnection connection, SqliteTransaction transaction, RowSeal seal)
    {
        _connection = connection;
        _transaction = transaction;
        _seal = seal;
    }

    internal bool Wrote { get; private set; }

    public T? Get<T>(StoreCollection<T> collection, string key) where T : class => StoreRows.Get(_connection, _transaction, _seal, collection, key);

    public IReadOnlyList<T> List<T>(StoreCollection<T> collection) where T : class => StoreRows.List(_connection, _transaction, _seal, collection);

    public void Put<T>(StoreCollection<T> collection, string key, T record) where T : class
    {
        StoreRows.Put(_connection, _transaction, _seal, collection, key, record);
        Wrote = true;
    }

    /// <returns>Whether there was such a record.</returns>
    public bool Delete<T>(StoreCollection<T> collection, string key) where T : class
    {
        var deleted = StoreRows.Delete(_connection, _transaction, _seal, collection, key);
        Wrote |= deleted;
        return deleted;
    }
}
