using Microsoft.Data.Sqlite;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

/// <summary>The statements over the one table of sealed rows.</summary>
internal static class StoreRows
{
    public static T? Get<T>(SqliteConnection connection, SqliteTransaction? transaction, RowSeal seal, StoreCollection<T> collection, string key) where T : class
    {
        var id = seal.IdOf(collection.Name, key);
        using var command = Command(connection, transaction, "SELECT schema, box FROM rows WHERE collection = $collection AND id = $id");
        command.Parameters.AddWithValue("$collection", collection.Name);
        command.Parameters.AddWithValue("$id", id);
        using var reader = command.ExecuteReader();
        return reader.Read() ? Open(seal, collection, reader.GetInt32(0), id, reader.GetFieldValue<byte[]>(1)) : null;
    }

    public static IReadOnlyList<T> List<T>(SqliteConnection connection, SqliteTransaction? transaction, RowSeal seal, StoreCollection<T> collection) where T : class
    {
        using var command = Command(connection, transaction, "SELECT schema, id, box FROM rows WHERE collection = $collection");
        command.Parameters.AddWithValue("$collection", collection.Name);
        using var reader = command.ExecuteReader();
        var records = new List<T>();
        while (reader.Read()) records.Add(Open(seal, collection, reader.GetInt32(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2)));
        return records;
    }

    public static void Put<T>(SqliteConnection connection, SqliteTransaction transaction, RowSeal seal, StoreCollection<T> collection, string key, T record) where T : class
    {
        var id = seal.IdOf(collection.Name, key);
        var json = StoreCollection<T>.Serialize(record);
        using var command = Command(connection, transaction,
            "INSERT INTO rows (collection, id, schema, box) VALUES ($collection, $id, $schema, $box) " +
            "ON CONFLICT (collection, id) DO UPDATE SET schema = excluded.schema, box = excluded.box");
        command.Parameters.AddWithValue("$collection", collection.Name);
        command.Parameters.AddWithValue("$id", id);
        command.Parameters.AddWithValue("$schema", collection.Schema);
        command.Parameters.AddWithValue("$box", seal.Seal(collection.Name, collection.Schema, id, key, json));
        command.ExecuteNonQuery();
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(json);
    }

    public static bool Delete<T>(SqliteConnection connection, SqliteTransaction transaction, RowSeal seal, StoreCollection<T> collection, string key) where T : class
    {
        using var command = Command(connection, transaction, "DELETE FROM rows WHERE collection = $collection AND id = $id");
        command.Parameters.AddWithValue("$collection", collection.Name);
        command.Parameters.AddWithValue("$id", seal.IdOf(collection.Name, key));
        return command.ExecuteNonQuery() > 0;
    }

    /// <summary>Opens every row of the store once. A row that does not open means that the store must not be used.</summary>
    public static void Verify(SqliteConnection connection, RowSeal seal)
    {
        using var command = Command(connection, null, "SELECT collection, schema, id, box FROM rows");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (seal.Open(reader.GetString(0), reader.GetInt32(1), reader.GetFieldValue<byte[]>(2), reader.GetFieldValue<byte[]>(3)) is null)
                throw Undecryptable(reader.GetString(0));
        }
    }

    private static T Open<T>(RowSeal seal, StoreCollection<T> collection, int schema, byte[] id, byte[] box) where T : class
    {
        var row = seal.Open(collection.Name, schema, id, box) ?? throw Undecryptable(collection.Name);
        return StoreCollection<T>.Deserialize(row.Record);
    }

    private static StoreFaultException Undecryptable(string collection) =>
        new(FaultCode.DecryptFailed, $"A row of '{collection}' does not open under the store's key: it was changed or damaged outside the appliance.");

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
