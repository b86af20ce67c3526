using DbUp;
using DbUp.Engine;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using SQLitePCL;

namespace Piccolo.Core.ControlStore;

/// <summary>The SQLite file: how it is opened, durability settings, migrations.</summary>
internal static class StoreFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string MigrationFolder = ".ControlStore.Migrations.";

    /// <param name="beforeMigration">Called with a store that is about to be migrated.</param>
    public static SqliteConnection Open(string path, StoreSchema schema, Action<SqliteConnection> beforeMigration, ILogger logger)
    {
        var isNew = !File.Exists(path) || new FileInfo(path).Length == 0;
        var text = ConnectionText(path, SqliteOpenMode.ReadWriteCreate);
        var connection = new SqliteConnection(text);
        try
        {
            connection.Open();
            // Where it cannot be written SQLite opens it for reading, without a word.
            if (raw.sqlite3_db_readonly(connection.Handle, "main") == 1) throw StoreFaults.Of(FaultCode.ReadOnly, "opened for reading");
            if (File.GetUnixFileMode(path) != OwnerOnly) File.SetUnixFileMode(path, OwnerOnly);
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, "PRAGMA synchronous = FULL");
            Execute(connection, "PRAGMA trusted_schema = OFF");
            RefuseNewer(connection, schema);
            var upgrade = Upgrade(text, schema);
            if (upgrade.IsUpgradeRequired())
            {
                if (!isNew) beforeMigration(connection);
                Perform(upgrade, path, logger);
            }
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A store on a disk that takes no writes: only reads, and only when this build needs no migration.</summary>
    public static SqliteConnection OpenWithoutWriting(string path, StoreSchema schema)
    {
        var text = ConnectionText(path, SqliteOpenMode.ReadOnly);
        // SQLite cannot make its shared-memory file there. Without a log beside it, the file is all that there is and nobody can change it.
        if (!File.Exists(path + "-wal") || new FileInfo(path + "-wal").Length == 0)
            text = ImmutableText(path);
        var connection = new SqliteConnection(text);
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA trusted_schema = OFF");
            RefuseNewer(connection, schema);
            if (Upgrade(text, schema).IsUpgradeRequired()) throw StoreFaults.Of(FaultCode.ReadOnly, "migration needed");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A second connection for reading, beside the one that writes.</summary>
    public static SqliteConnection OpenReader(string path)
    {
        var connection = new SqliteConnection(ConnectionText(path, SqliteOpenMode.ReadOnly));
        connection.Open();
        return connection;
    }

    /// <summary>Whether the write lock is to be had at this moment; does not wait for it.</summary>
    public static bool TakesWrites(string path)
    {
        try
        {
            using var connection = new SqliteConnection(ConnectionText(path, SqliteOpenMode.ReadWrite));
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "BEGIN IMMEDIATE; ROLLBACK";
            command.CommandTimeout = 1;
            command.ExecuteNonQuery();
            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    /// <summary>A copy that nobody writes to: opening it leaves nothing beside it.</summary>
    public static SqliteConnection OpenCopy(string path)
    {
        var connection = new SqliteConnection(ImmutableText(path));
        connection.Open();
        return connection;
    }

    /// <summary>Changes one number of the file's header, durably: the smallest real write.</summary>
    public static void Touch(SqliteConnection connection)
    {
        using var read = connection.CreateCommand();
        read.CommandText = "PRAGMA user_version";
        Execute(connection, (long)read.ExecuteScalar()! == 0 ? "PRAGMA user_version = 1" : "PRAGMA user_version = 0");
    }

    /// <summary>Writes a whole copy, sealed as the store is, to a file that must not exist yet; 0600 and durable.</summary>
    public static void CopyTo(SqliteConnection connection, string path)
    {
        try
        {
            using (new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
            }
            WriteSteps.Reached(WriteStep.TemporaryCreated, path);
            using (var command = connection.CreateCommand())
            {
                command.CommandText = "VACUUM INTO $path";
                command.Parameters.AddWithValue("$path", path);
                command.ExecuteNonQuery();
            }
            WriteSteps.Reached(WriteStep.Written, path);
            using var copy = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(copy);
            WriteSteps.Reached(WriteStep.Flushed, path);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private static string ImmutableText(string path) =>
        ConnectionText($"file:{Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)}?immutable=1", SqliteOpenMode.ReadOnly);

    private static string ConnectionText(string source, SqliteOpenMode mode) =>
        new SqliteConnectionStringBuilder { DataSource = source, Pooling = false, DefaultTimeout = 5, Mode = mode }.ToString();

    private static UpgradeEngine Upgrade(string connectionText, StoreSchema schema) => DeployChanges.To.SqliteDatabase(connectionText)
        .WithScriptsEmbeddedInAssemblies([.. schema.Migrations], name => name.Contains(MigrationFolder, StringComparison.Ordinal))
        .WithTransactionPerScript()
        .LogTo(new NullLoggerFactory())
        .Build();

    private static void Perform(UpgradeEngine upgrade, string path, ILogger logger)
    {
        DatabaseUpgradeResult result = upgrade.PerformUpgrade();
        if (result.Successful)
        {
            logger.StoreMigrated(string.Join(", ", result.Scripts.Select(s => s.Name)));
            return;
        }
        throw result.Error is SqliteException e
            ? StoreFaults.From(e, path)
            : new StoreFaultException(FaultCode.StoreUnreadable, "The control store could not be brought to this version's form.", result.Error);
    }

    private static void RefuseNewer(SqliteConnection connection, StoreSchema schema)
    {
        if (ReadMinReader(connection) > schema.Reader)
            throw new StoreFaultException(
                FaultCode.SchemaTooNew, "The control store was written by a newer version of the appliance. Install that version again.");
    }

    /// <summary>The oldest reader that understands a copy which nobody else uses.</summary>
    public static long ReadMinReaderOfCopy(string path)
    {
        using var copy = OpenCopy(path);
        return ReadMinReader(copy);
    }

    public static long ReadMinReader(SqliteConnection connection)
    {
        using var exists = connection.CreateCommand();
        exists.CommandText = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'";
        if ((long)exists.ExecuteScalar()! == 0) return 0;
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT min_reader FROM meta WHERE id = 1";
        return command.ExecuteScalar() as long? ?? 0;
    }

    private static void Execute(SqliteConnection connection, string pragma)
    {
        using var command = connection.CreateCommand();
        // Only this file's constants.
#pragma warning disable CA2100
        command.CommandText = pragma;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
