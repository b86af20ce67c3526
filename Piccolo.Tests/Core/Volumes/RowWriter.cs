using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Piccolo.Tests.Core.Volumes;

/// <summary>A process that commits one row after the other as an app's database does, and says so after each, until it is killed.</summary>
internal static class RowWriter
{
    public const string Verb = "write-rows";

    public static async Task<int> RunAsync(string[] args)
    {
        await using var connection = new SqliteConnection($"Data Source={args[0]};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 20; "
            + "CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text BLOB)";
        await command.ExecuteNonQueryAsync();
        command.CommandText = "INSERT INTO rows (text) VALUES (randomblob(3000)) RETURNING n";
        while (true)
        {
            var number = Convert.ToInt32(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"row {number}."));
        }
    }

    /// <summary>Of a line that it has printed; 0 for any other, and for half a line.</summary>
    public static int NumberIn(string line) =>
        line.StartsWith("row ", StringComparison.Ordinal) && line.EndsWith('.') ? int.Parse(line[4..^1], CultureInfo.InvariantCulture) : 0;
}
