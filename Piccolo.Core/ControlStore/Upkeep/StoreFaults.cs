using Microsoft.Data.Sqlite;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore.Upkeep;

/// <summary>What SQLite and the file system say, as one of our faults.</summary>
internal static class StoreFaults
{
    // SQLite's primary result codes, https://sqlite.org/rescode.html
    private const int SqliteBusy = 5;
    private const int SqliteLocked = 6;
    private const int SqliteNoMemory = 7;
    private const int SqliteReadOnly = 8;
    private const int SqliteInterrupted = 9;
    private const int SqliteCorrupt = 11;
    private const int SqliteFull = 13;
    private const int SqliteCannotOpen = 14;
    private const int SqliteLockProtocol = 15;
    private const int SqliteNotADatabase = 26;
    private const int SqliteIoErrorNoMemory = 3082;

    /// <param name="path">Of the store's file: it and its folder are asked when SQLite's own word is too general.</param>
    public static StoreFaultException From(SqliteException e, string path) => Of(
        (e.SqliteErrorCode, e.SqliteExtendedErrorCode) switch
        {
            (SqliteFull, _) => FaultCode.DiskFull,
            (SqliteReadOnly, _) => FaultCode.ReadOnly,
            (SqliteCorrupt or SqliteNotADatabase, _) => FaultCode.StoreCorrupt,
            (SqliteBusy or SqliteLocked or SqliteNoMemory or SqliteInterrupted or SqliteLockProtocol, _) or (_, SqliteIoErrorNoMemory) => FaultCode.StoreBusy,
            // A disk that takes no writes, or a file that nobody can open, is why it cannot be opened; else no descriptor is free, which passes.
            (SqliteCannotOpen, _) => DiskProbe.FindWriteObstacle(Path.GetDirectoryName(path)!) ?? DiskProbe.TryOpen(path) ?? FaultCode.StoreBusy,
            _ => DiskProbe.FindWriteObstacle(Path.GetDirectoryName(path)!) ?? FaultCode.StoreUnreadable,
        },
        $"SQLite code {e.SqliteExtendedErrorCode}",
        e);

    /// <param name="what">What could not be done; null = the store itself could not be read or written.</param>
    public static StoreFaultException From(IOException e, string? what = null) =>
        Of(DiskProbe.CodeOf(e), $"{what ?? "input or output failed"}, errno {e.HResult & 0xffff}", e);

    public static StoreFaultException From(UnauthorizedAccessException e, string? what = null) => Of(FaultCode.StoreUnreadable, what ?? "access denied", e);

    public static StoreFaultException Of(FaultCode code, string cause, Exception? inner = null) => new(
        code,
        code switch
        {
            FaultCode.DiskFull => "The disk is full; nothing more can be stored.",
            FaultCode.ReadOnly => "The control store cannot be written: its file system is read-only.",
            FaultCode.StoreCorrupt => "The control store is damaged.",
            FaultCode.StoreBusy =>
                $"The control store cannot be used at the moment: another process keeps it locked, or memory or open files are used up ({cause}).",
            _ => $"The control store cannot be used ({cause}).",
        },
        inner);

    /// <summary>Whether the disk takes no writes: what is there can still be read.</summary>
    public static bool IsDiskFault(FaultCode code) => code is FaultCode.DiskFull or FaultCode.ReadOnly;

    /// <summary>Whether the fault clears once its cause is gone.</summary>
    public static bool IsTransient(FaultCode code) => code is FaultCode.StoreBusy || IsDiskFault(code);
}
