using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore.Integrity;

/// <summary>
/// Whether a store is exactly what this appliance wrote: SQLite's own structure, the chain of revisions, and every row. One pass over the rows, a keyed hash
/// each; nothing is decrypted unless something is wrong.
/// </summary>
internal static class StoreVerifier
{
    /// <exception cref="StoreFaultException">It is not, and why. Opens rows to find out: only for whoever holds the store's gate.</exception>
    public static StoreHead Verify(SqliteConnection connection, RowSeal seal, StoreAnchor? anchor)
    {
        // One transaction, so that everything is read of the same moment, whoever writes meanwhile.
        using var transaction = connection.BeginTransaction(deferred: true);
        return Find(connection, transaction, seal.Chain, anchor) ?? throw Diagnose(connection, transaction, seal, anchor);
    }

    /// <summary>The same for a copy that nobody uses yet; it is not written to.</summary>
    /// <exception cref="StoreFaultException">It is not whole, not a store, or cannot be read.</exception>
    public static StoreHead VerifyFile(string path, RowSeal seal)
    {
        try
        {
            using var connection = StoreFile.OpenWithoutWriting(path, StoreSchema.Current);
            return Verify(connection, seal, anchor: null);
        }
        catch (SqliteException e)
        {
            throw StoreFaults.From(e, path);
        }
    }

    /// <summary>The same without looking for the reason, beside whoever uses the store.</summary>
    public static StoreHead? TryVerify(SqliteConnection connection, StoreChain chain, StoreAnchor? anchor)
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        return Find(connection, transaction, chain, anchor);
    }

    private static StoreHead? Find(SqliteConnection connection, SqliteTransaction transaction, StoreChain chain, StoreAnchor? anchor)
    {
        CheckStructure(connection, transaction);
        var digest = Digest(connection, transaction, chain);
        return RevisionLog.Walk(connection, transaction, chain, anchor) is { } newest
            && CryptographicOperations.FixedTimeEquals(chain.OfState(newest.Revision, digest), newest.StateTag)
                ? new StoreHead(newest.Revision, newest.Chain, digest)
                : null;
    }

    private static void CheckStructure(SqliteConnection connection, SqliteTransaction transaction)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "PRAGMA quick_check(1)";
        if (command.ExecuteScalar() as string != "ok")
            throw new StoreFaultException(FaultCode.StoreCorrupt, "The control store is damaged: its integrity check failed.");
    }

    private static StateDigest Digest(SqliteConnection connection, SqliteTransaction transaction, StoreChain chain)
    {
        var digest = default(StateDigest);
        Span<byte> mac = stackalloc byte[StoreChain.Length];
        foreach (var row in StoreRows.ReadAll(connection, transaction))
        {
            chain.OfRow(row.Collection, row.Schema, row.Id, row.Box, mac);
            digest = digest.Add(mac);
        }
        return digest;
    }

    private static StoreFaultException Diagnose(SqliteConnection connection, SqliteTransaction transaction, RowSeal seal, StoreAnchor? anchor)
    {
        foreach (var row in StoreRows.ReadAll(connection, transaction))
        {
            if (seal.Open(row.Collection, row.Schema, row.Id, row.Box) is null) return StoreRows.Undecryptable(row.Collection);
        }
        return RevisionLog.ReadRevision(connection, transaction) < (anchor?.Revision ?? 0)
            ? new StoreFaultException(
                FaultCode.StoreCorrupt,
                $"The control store is older than what the appliance last wrote (revision {anchor!.Revision}): "
                    + "an old copy was put in its place, or it was emptied.")
            : new StoreFaultException(
                FaultCode.StoreCorrupt, "Rows of the control store were added, dropped or put back outside the appliance: its checksum chain does not hold.");
    }
}
