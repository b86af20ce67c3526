using Microsoft.Data.Sqlite;

namespace Piccolo.Tests.Fakes.Files;

/// <summary>The store's file in the hands of somebody without the key.</summary>
internal static class RawStore
{
    public static int Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteNonQuery();
    }
}
