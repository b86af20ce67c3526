using DbUp;
using DbUp.Engine;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

/// <summary>The SQLite file: durability settings, integrity, migrations, revision.</summary>
internal static class StoreFile
{
    /// <summary>What this build reads. A store whose <c>min_reader</c> is greater was written by a newer build after a contracting migration.</summary>
    public const int Reader = 1;

    // SQLite's primary result codes, https://sqlite.org/rescode.html
    private const int SqliteReadOnly = 8;
    private const int SqliteIoError = 10;
    private const int SqliteCorrupt = 11;
    private const int SqliteFull = 13;
    private const int SqliteNotADatabase = 26;

    public static SqliteConnection Open(string path, ILogger logger)
    {
        var text = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 5 }.ToString();
        var isNew = !File.Exists(path);
        var connection = new SqliteConnection(text);
        try
        {
            connection.Open();
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, "PRAGMA synchronous = FULL");
            Execute(connection, "PRAGMA trusted_schema = OFF");
            if (!isNew) CheckWhole(connection);
            Migrate(text, connection, logger);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static long ReadRevision(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT revision FROM meta WHERE id = 1";
        return (long)command.ExecuteScalar()!;
    }

    public static long RaiseRevision(SqliteConnection connection, SqliteTransaction transaction)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "UPDATE meta SET revision = revision + 1 WHERE id = 1 RETURNING revision";
        return (long)command.ExecuteScalar()!;
    }

    public static StoreFaultException Classify(SqliteException e) => e.SqliteErrorCode switch
    {
        SqliteFull => new(FaultCode.DiskFull, "The disk is full; nothing more can be stored.", e),
        SqliteReadOnly => new(FaultCode.ReadOnly, "The control store cannot be written: its file system is read-only.", e),
        SqliteCorrupt or SqliteNotADatabase => new(FaultCode.StoreCorrupt, "The control store is damaged.", e),
        SqliteIoError => new(FaultCode.StoreUnreadable, "The disk reports an error under the control store.", e),
        _ => new(FaultCode.StoreUnreadable, $"The control store cannot be used (SQLite code {e.SqliteErrorCode}).", e),
    };

    private static void CheckWhole(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA quick_check(1)";
        if (command.ExecuteScalar() as string != "ok") throw new StoreFaultException(FaultCode.StoreCorrupt, "The control store is damaged: its integrity check failed.");
    }

    private static void Migrate(string connectionString, SqliteConnection connection, ILogger logger)
    {
        if (ReadMinReader(connection) > Reader)
            throw new StoreFaultException(FaultCode.SchemaTooNew, "The control store was written by a newer version of the appliance. Install that version again.");
        var upgrade = DeployChanges.To.SqliteDatabase(connectionString)
            .WithScriptsEmbeddedInAssembly(typeof(StoreFile).Assembly, name => name.Contains(".ControlStore.Migrations.", StringComparison.Ordinal))
            .WithTransactionPerScript()
            .LogTo(new Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory())
            .Build();
        if (!upgrade.IsUpgradeRequired()) return;
        DatabaseUpgradeResult result = upgrade.PerformUpgrade();
        if (!result.Successful) throw new StoreFaultException(FaultCode.StoreUnreadable, "The control store could not be brought to this version's form.", result.Error);
        logger.StoreMigrated(string.Join(", ", result.Scripts.Select(s => s.Name)));
    }

    private static long ReadMinReader(SqliteConnection connection)
    {
        using var exists = connection.CreateCommand();
        exists.CommandText = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'";
        if ((long)exists.ExecuteScalar()! == 0) return 0;
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT min_reader FROM meta WHERE id = 1";
        return (long)command.ExecuteScalar()!;
    }

    private static void Execute(SqliteConnection connection, string pragma)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = pragma;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
