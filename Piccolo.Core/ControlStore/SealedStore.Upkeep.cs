using Microsoft.Data.Sqlite;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

// What keeps an open store honest: the check beside the hot path, and the way back after a fault.
public sealed partial class SealedStore
{
    private static readonly FaultCode[] TransientFaults = [.. Enum.GetValues<FaultCode>().Where(StoreFaults.IsTransient)];

    /// <summary>Verifies the whole store on a connection of its own, while reads and writes go on. Latches what it finds.</summary>
    /// <returns>Whether the store is whole; true while sealed, when there is nothing in use.</returns>
    public bool Check()
    {
        if (Volatile.Read(ref _seal) is not { } seal) return true;
        if (!VerifyConcurrently(seal) && !VerifyExclusively(seal))
        {
            Changed.Raise();
            return false;
        }
        lock (_gate)
        {
            if (!ReferenceEquals(_seal, seal)) return true;
            WriteAnchor(seal);
            logger.StoreChecked(_head.Revision);
        }
        return true;
    }

    /// <summary>While a fault is latched that goes with its cause: tries a real write, and clears such faults when it succeeds.</summary>
    /// <returns>Whether no such fault is left.</returns>
    public bool TryRecover()
    {
        if (!health.Snapshot.Faults.Keys.Any(StoreFaults.IsTransient)) return true;
        if (DiskProbe.FindWriteObstacle(paths.Root) is not null) return false;
        // Asked before the gate is taken: nobody else waits while another process keeps the lock.
        if (IsOpen && health.Snapshot.Faults.ContainsKey(FaultCode.StoreBusy) && !StoreFile.TakesWrites(paths.ControlStore)) return false;
        lock (_gate)
        {
            if (_seal is { } seal && !TryReopen(seal)) return false;
            foreach (var code in TransientFaults) health.Clear(code);
            health.Ok(HealthComponents.Store, IsOpen ? $"open at revision {_head.Revision}" : "sealed");
        }
        Changed.Raise();
        return true;
    }

    /// <summary>Looks again at what a latched fault was about, and clears it when that is whole. While sealed, the next open looks.</summary>
    /// <returns>Whether the fault was cleared.</returns>
    public bool TryClearFault(FaultCode code)
    {
        if (StoreFaults.IsTransient(code)) return TryRecover();
        lock (_gate)
        {
            if (_seal is { } seal && !TryReopen(seal)) return false;
            health.Clear(code);
        }
        Changed.Raise();
        return true;
    }

    /// <summary>Writes a whole, sealed copy of the open store. Neither readers nor writers wait for it.</summary>
    /// <returns>The copy's revision.</returns>
    internal long CopyTo(string path)
    {
        if (!IsOpen) throw new StoreSealedException();
        return Translated(() =>
        {
            using (var reader = StoreFile.OpenReader(paths.ControlStore)) StoreFile.CopyTo(reader, path);
            // Of the copy itself: the store may have gone on.
            using var copy = StoreFile.OpenCopy(path);
            return RevisionLog.ReadRevision(copy, null);
        });
    }

    /// <summary>The key of one export file. The caller wipes it.</summary>
    internal void DeriveExportKey(ReadOnlySpan<byte> salt, Span<byte> destination)
    {
        lock (_gate)
        {
            var (_, seal) = InUse();
            seal.DeriveExportKey(salt, destination);
        }
    }

    private bool VerifyConcurrently(RowSeal seal)
    {
        try
        {
            return Translated(() =>
            {
                // An anchor that was read before the rows is never ahead of them.
                var anchor = ReadAnchor(seal);
                using var fresh = OpenFresh();
                return StoreVerifier.TryVerify(fresh, seal.Chain, anchor) is not null;
            });
        }
        catch (StoreFaultException)
        {
            return false;
        }
    }

    /// <summary>The second look, while nobody else uses the store: it finds the reason, and latches it.</summary>
    private bool VerifyExclusively(RowSeal seal)
    {
        lock (_gate)
        {
            // Locked meanwhile: the keys were wiped under the check, and what it found means nothing.
            if (!ReferenceEquals(_seal, seal)) return true;
            try
            {
                Guarded(() =>
                {
                    using var fresh = OpenFresh();
                    return StoreVerifier.Verify(fresh, seal, ReadAnchor(seal));
                });
                return true;
            }
            catch (StoreFaultException)
            {
                return false;
            }
        }
    }

    /// <summary>A connection that has nothing in its cache: what is asked about is the disk.</summary>
    private SqliteConnection OpenFresh() => health.Snapshot.Faults.Keys.Any(StoreFaults.IsDiskFault)
        ? StoreFile.OpenWithoutWriting(paths.ControlStore, Schema)
        : StoreFile.OpenReader(paths.ControlStore);

    /// <summary>A fresh connection, verified and with one real write behind it, replaces the one in use. Under the gate.</summary>
    private bool TryReopen(RowSeal seal)
    {
        SqliteConnection? connection = null;
        try
        {
            var head = Translated(() =>
            {
                var anchor = ReadAnchor(seal);
                connection = StoreFile.Open(paths.ControlStore, Schema, SnapshotBeforeMigration, logger);
                var verified = StoreVerifier.Verify(connection, seal, anchor);
                StoreFile.Touch(connection);
                return verified;
            });
            _connection?.Dispose();
            _connection = connection;
            Volatile.Write(ref _head, head);
            return true;
        }
        catch (StoreFaultException e)
        {
            connection?.Dispose();
            health.Latch(e.Code, HealthComponents.Store, e.Message);
            return false;
        }
    }

    private void SnapshotBeforeMigration(SqliteConnection connection) =>
        new StoreSnapshots(paths, time ?? TimeProvider.System).Take(path =>
        {
            StoreFile.CopyTo(connection, path);
            return HasRevision(connection) ? RevisionLog.ReadRevision(connection, null) : 0;
        });

    private static bool HasRevision(SqliteConnection connection) => StoreFile.ReadMinReader(connection) > 0;
}
