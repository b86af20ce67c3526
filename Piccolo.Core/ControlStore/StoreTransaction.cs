using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

/// <summary>Reads and writes of one commit: all of it happens or nothing. Valid only inside the callback that received it.</summary>
public sealed class StoreTransaction
{
    private readonly SqliteConnection _connection;
    private readonly SqliteTransaction _transaction;
    private readonly RowSeal _seal;
    private readonly IncrementalHash _changes;
    private readonly UnreadableRows _unreadable;

    internal StoreTransaction(
        SqliteConnection connection, SqliteTransaction transaction, RowSeal seal, StateDigest state, IncrementalHash changes, UnreadableRows unreadable)
    {
        _connection = connection;
        _transaction = transaction;
        _seal = seal;
        _changes = changes;
        _unreadable = unreadable;
        State = state;
    }

    internal bool Wrote { get; private set; }

    /// <summary>Whether it wrote to a collection that is not quiet.</summary>
    internal bool Wakes { get; private set; }

    /// <summary>The digest of all rows as this transaction leaves them.</summary>
    internal StateDigest State { get; private set; }

    public T? Get<T>(StoreCollection<T> collection, string key) where T : class =>
        StoreRows.Get(_connection, _transaction, _seal, collection, key, _unreadable);

    public IReadOnlyList<T> List<T>(StoreCollection<T> collection) where T : class => StoreRows.List(_connection, _transaction, _seal, collection, _unreadable);

    public void Put<T>(StoreCollection<T> collection, string key, T record) where T : class
    {
        var id = _seal.IdOf(collection.Name, key);
        var json = KeepUnknownMembers(collection, id, StoreCollection<T>.Serialize(record));
        var box = _seal.Seal(collection.Name, collection.Schema, id, key, json);
        CryptographicOperations.ZeroMemory(json);
        RemoveFromDigest(collection.Name, id);
        StoreRows.Put(_connection, _transaction, collection.Name, id, collection.Schema, box);
        Span<byte> mac = stackalloc byte[StoreChain.Length];
        _seal.Chain.OfRow(collection.Name, collection.Schema, id, box, mac);
        State = State.Add(mac);
        RecordChange((byte)'+', mac);
        Wakes |= !collection.IsQuiet;
    }

    /// <exception cref="StoreFaultException">A newer release wrote the row in a form that this one would damage.</exception>
    private byte[] KeepUnknownMembers<T>(StoreCollection<T> collection, byte[] id, byte[] next) where T : class
    {
        if (StoreRows.Find(_connection, _transaction, collection.Name, id) is not { } row) return next;
        if (row.Schema > collection.Schema)
            throw new StoreFaultException(
                FaultCode.SchemaTooNew,
                $"A row of '{collection.Name}' was written by a newer version of the appliance, and this one cannot change it. Install that version again.");
        // What an older schema had and this one has not was given up, not invented later.
        if (row.Schema < collection.Schema) return next;
        var stored = (_seal.Open(collection.Name, row.Schema, id, row.Box) ?? throw StoreRows.Undecryptable(collection.Name)).Record;
        try
        {
            return UnknownMembers.Keep(stored, StoreCollection<T>.Serialize(StoreCollection<T>.Deserialize(stored)), next);
        }
        catch (JsonException)
        {
            // What this release cannot read it was told to replace.
            return next;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(stored);
        }
    }

    /// <returns>Whether there was such a record.</returns>
    public bool Delete<T>(StoreCollection<T> collection, string key) where T : class
    {
        var id = _seal.IdOf(collection.Name, key);
        if (!RemoveFromDigest(collection.Name, id)) return false;
        StoreRows.Delete(_connection, _transaction, collection.Name, id);
        Wakes |= !collection.IsQuiet;
        return true;
    }

    /// <summary>Takes the row that is there out of the digest.</summary>
    private bool RemoveFromDigest(string collection, byte[] id)
    {
        if (StoreRows.Find(_connection, _transaction, collection, id) is not { } old) return false;
        Span<byte> mac = stackalloc byte[StoreChain.Length];
        _seal.Chain.OfRow(collection, old.Schema, id, old.Box, mac);
        State = State.Remove(mac);
        RecordChange((byte)'-', mac);
        return true;
    }

    private void RecordChange(byte change, ReadOnlySpan<byte> mac)
    {
        Wrote = true;
        _changes.AppendData([change]);
        _changes.AppendData(mac);
    }
}
