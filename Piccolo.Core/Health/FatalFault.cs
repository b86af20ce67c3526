namespace Piccolo.Core.Health;

/// <summary>The stable codes of faults that make readiness fail.</summary>
public enum FaultCode
{
    StoreCorrupt,
    StoreUnreadable,
    KeysetCorrupt,
    KeysetMissing,
    DecryptFailed,
    DiskFull,
    ReadOnly,
    SchemaTooNew,
}

/// <summary>A fault of persistence or crypto that was observed and stays until it is cleared.</summary>
/// <param name="Detail">One plain sentence, without secrets.</param>
/// <param name="Rollback">Whether an older image could help: false for a full or read-only disk.</param>
public sealed record FatalFault(FaultCode Code, string Component, string Detail, DateTimeOffset Since, bool Rollback);
