using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

/// <summary>The statements over the one table of sealed rows.</summary>
internal static class StoreRows
{
    /// <summary>Null also where a newer release wrote the row in a form that this one does not know.</summary>
    public static T? Get<T>(
        SqliteConnection connection, SqliteTransaction? transaction, RowSeal seal, StoreCollection<T> collection, string key,
        UnreadableRows unreadable) where T : class
    {
        var id = seal.IdOf(collection.Name, key);
        return Find(connection, transaction, collection.Name, id) is { } row ? Open(seal, collection, row.Schema, id, row.Box, unreadable) : null;
    }

    /// <summary>Without the rows that a newer release wrote in a form that this one does not know.</summary>
    public static IReadOnlyList<T> List<T>(
        SqliteConnection connection, SqliteTransaction? transaction, RowSeal seal, StoreCollection<T> collection, UnreadableRows unreadable) where T : class
    {
        using var command = Command(connection, transaction, "SELECT schema, id, box FROM rows WHERE collection = $collection");
        command.Parameters.AddWithValue("$collection", collection.Name);
        using var reader = command.ExecuteReader();
        var records = new List<T>();
        while (reader.Read())
        {
            if (Open(seal, collection, reader.GetInt32(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2), unreadable) is { } record)
                records.Add(record);
        }
        return records;
    }

    /// <summary>The row as it lies on the disk.</summary>
    public static (int Schema, byte[] Box)? Find(SqliteConnection connection, SqliteTransaction? transaction, string collection, byte[] id)
    {
        using var command = Command(connection, transaction, "SELECT schema, box FROM rows WHERE collection = $collection AND id = $id");
        command.Parameters.AddWithValue("$collection", collection);
        command.Parameters.AddWithValue("$id", id);
        using var reader = command.ExecuteReader();
        return reader.Read() ? (reader.GetInt32(0), reader.GetFieldValue<byte[]>(1)) : null;
    }

    public static void Put(SqliteConnection connection, SqliteTransaction transaction, string collection, byte[] id, int schema, byte[] box)
    {
        using var command = Command(connection, transaction,
            "INSERT INTO rows (collection, id, schema, box) VALUES ($collection, $id, $schema, $box) " +
            "ON CONFLICT (collection, id) DO UPDATE SET schema = excluded.schema, box = excluded.box");
        command.Parameters.AddWithValue("$collection", collection);
        command.Parameters.AddWithValue("$id", id);
        command.Parameters.AddWithValue("$schema", schema);
        command.Parameters.AddWithValue("$box", box);
        command.ExecuteNonQuery();
    }

    public static void Delete(SqliteConnection connection, SqliteTransaction transaction, string collection, byte[] id)
    {
        using var command = Command(connection, transaction, "DELETE FROM rows WHERE collection = $collection AND id = $id");
        command.Parameters.AddWithValue("$collection", collection);
        command.Parameters.AddWithValue("$id", id);
        command.ExecuteNonQuery();
    }

    /// <summary>Every row as it lies on the disk.</summary>
    public static IEnumerable<RawRow> ReadAll(SqliteConnection connection, SqliteTransaction transaction)
    {
        using var command = Command(connection, transaction, "SELECT collection, schema, id, box FROM rows");
        using var reader = command.ExecuteReader();
        while (reader.Read())
            yield return new RawRow(reader.GetString(0), reader.GetInt32(1), reader.GetFieldValue<byte[]>(2), reader.GetFieldValue<byte[]>(3));
    }

    public static StoreFaultException Undecryptable(string collection) =>
        new(FaultCode.DecryptFailed, $"A row of '{collection}' failed authentication: it was modified or corrupted outside the appliance.");

    private static T? Open<T>(RowSeal seal, StoreCollection<T> collection, int schema, byte[] id, byte[] box, UnreadableRows unreadable) where T : class
    {
        var row = seal.Open(collection.Name, schema, id, box) ?? throw Undecryptable(collection.Name);
        try
        {
            if (schema > collection.Schema)
            {
                unreadable.Add(collection.Name, row.Key, $"its schema is {schema}, and this version knows {collection.Schema}");
                return null;
            }
            var record = StoreCollection<T>.Deserialize(row.Record);
            return schema < collection.Schema && collection.Upgrade is { } upgrade ? upgrade(record) : record;
        }
        catch (JsonException e)
        {
            // An authentic row that does not fit: a value that a newer release invented.
            unreadable.Add(collection.Name, row.Key, $"the value at {e.Path} is not known to this version");
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(row.Record);
        }
    }

    private static SqliteCommand Command(SqliteConnection connection, SqliteTransaction? transaction, string text)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        // Every text is a constant of this file; values travel as parameters.
#pragma warning disable CA2100
        command.CommandText = text;
#pragma warning restore CA2100
        return command;
    }
}

/// <summary>A row as it lies on the disk.</summary>
internal readonly record struct RawRow(string Collection, int Schema, byte[] Id, byte[] Box);
