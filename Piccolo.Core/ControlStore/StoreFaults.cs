using Microsoft.Data.Sqlite;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

/// <summary>What SQLite and the file system say, as one of our faults.</summary>
internal static class StoreFaults
{
    // SQLite's primary result codes, https://sqlite.org/rescode.html
    private const int SqliteReadOnly = 8;
    private const int SqliteCorrupt = 11;
    private const int SqliteFull = 13;
    private const int SqliteNotADatabase = 26;

    /// <param name="folder">Where the store lies: asked when SQLite's own word is too general.</param>
    public static StoreFaultException From(SqliteException e, string folder) => Of(
        e.SqliteErrorCode switch
        {
            SqliteFull => FaultCode.DiskFull,
            SqliteReadOnly => FaultCode.ReadOnly,
            SqliteCorrupt or SqliteNotADatabase => FaultCode.StoreCorrupt,
            _ => DiskProbe.Look(folder) ?? FaultCode.StoreUnreadable,
        },
        $"SQLite code {e.SqliteExtendedErrorCode}",
        e);

    public static StoreFaultException From(IOException e) => Of(DiskProbe.CodeOf(e), "I/O error", e);

    public static StoreFaultException Of(FaultCode code, string cause, Exception? inner = null) => new(
        code,
        code switch
        {
            FaultCode.DiskFull => "The disk is full; nothing more can be stored.",
            FaultCode.ReadOnly => "The control store cannot be written: its file system is read-only.",
            FaultCode.StoreCorrupt => "The control store is damaged.",
            _ => $"The control store cannot be used ({cause}).",
        },
        inner);

    /// <summary>Whether the fault goes by itself with its cause.</summary>
    public static bool Passes(FaultCode code) => code is FaultCode.DiskFull or FaultCode.ReadOnly;
}
