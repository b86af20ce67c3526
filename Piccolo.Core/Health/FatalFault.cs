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

    /// <summary>Another process keeps the store locked, or memory or descriptors are used up.</summary>
    StoreBusy,
}

/// <summary>A fault of persistence or crypto that was observed and stays until it is cleared.</summary>
/// <param name="Detail">One plain sentence, without secrets.</param>
/// <param name="Rollback">Whether an older image could help: false where the cause goes by itself or lies in the disk.</param>
public sealed record FatalFault(FaultCode Code, string Component, string Detail, DateTimeOffset Since, bool Rollback);
