using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore.Integrity;

/// <summary>Where the store stands: its newest revision, that revision's chain value, and the digest of all rows.</summary>
internal sealed record StoreHead(long Revision, byte[] Chain, StateDigest State)
{
    public static readonly StoreHead Empty = new(0, StoreChain.Genesis, default);
}

/// <summary>The newest revisions of the store, each bound to the one before it. Bounded: older links fall out, the newer ones still hold them.</summary>
internal static class RevisionLog
{
    public const int Kept = 1000;

    /// <summary>Writes the next revision of a transaction that changed rows.</summary>
    public static StoreHead Append(
        SqliteConnection connection, SqliteTransaction transaction, StoreChain chain, StoreHead head, StateDigest state, ReadOnlySpan<byte> changes)
    {
        var revision = head.Revision + 1;
        var stateTag = chain.OfState(revision, state);
        var link = chain.OfRevision(revision, head.Chain, changes, stateTag);
        using var raise = Command(connection, transaction, "UPDATE meta SET revision = $revision WHERE id = 1 AND revision = $revision - 1");
        raise.Parameters.AddWithValue("$revision", revision);
        if (raise.ExecuteNonQuery() != 1)
            throw new StoreFaultException(FaultCode.StoreCorrupt, "The control store was written by somebody else while the appliance had it open.");
        using var insert = Command(connection, transaction,
            "INSERT INTO revisions (revision, previous, changes, state, chain) VALUES ($revision, $previous, $changes, $state, $chain)");
        insert.Parameters.AddWithValue("$revision", revision);
        insert.Parameters.AddWithValue("$previous", head.Chain);
        insert.Parameters.AddWithValue("$changes", changes.ToArray());
        insert.Parameters.AddWithValue("$state", stateTag);
        insert.Parameters.AddWithValue("$chain", link);
        insert.ExecuteNonQuery();
        using var trim = Command(connection, transaction, "DELETE FROM revisions WHERE revision <= $oldest");
        trim.Parameters.AddWithValue("$oldest", revision - Kept);
        trim.ExecuteNonQuery();
        return new StoreHead(revision, link, state);
    }

    /// <summary>Walks the links that are there.</summary>
    /// <param name="anchor">A revision that the store is known to have reached.</param>
    /// <returns>Chain value and state tag of the newest revision; both of the empty store at revision 0; null when a link does not hold.</returns>
    public static (long Revision, byte[] Chain, byte[] StateTag)? Walk(
        SqliteConnection connection, SqliteTransaction transaction, StoreChain chain, StoreAnchor? anchor)
    {
        var newest = ReadRevision(connection, transaction);
        if (newest < (anchor?.Revision ?? 0)) return null;
        var expected = Math.Max(1, newest - Kept + 1);
        var (previous, state) = (StoreChain.Genesis, chain.OfState(0, default));
        using var command = Command(connection, transaction, "SELECT revision, previous, changes, state, chain FROM revisions ORDER BY revision");
        using var reader = command.ExecuteReader();
        for (var first = true; reader.Read(); first = false, expected++)
        {
            var row = (
                Revision: reader.GetInt64(0), Previous: reader.GetFieldValue<byte[]>(1), Changes: reader.GetFieldValue<byte[]>(2),
                State: reader.GetFieldValue<byte[]>(3), Chain: reader.GetFieldValue<byte[]>(4));
            if (row.Revision != expected || row.Previous.Length != StoreChain.Length || row.Changes.Length != StoreChain.Length
                || row.State.Length != StoreChain.Length)
            {
                return null;
            }
            // What lies before the oldest link that is kept is not there any more; its own value still covers the one before it.
            if ((!first || row.Revision == 1) && !row.Previous.AsSpan().SequenceEqual(previous)) return null;
            if (!CryptographicOperations.FixedTimeEquals(chain.OfRevision(row.Revision, row.Previous, row.Changes, row.State), row.Chain)) return null;
            if (row.Revision == anchor?.Revision && !row.Chain.AsSpan().SequenceEqual(anchor.Chain)) return null;
            (previous, state) = (row.Chain, row.State);
        }
        return expected == newest + 1 ? (newest, previous, state) : null;
    }

    public static long ReadRevision(SqliteConnection connection, SqliteTransaction? transaction)
    {
        using var command = Command(connection, transaction, "SELECT revision FROM meta WHERE id = 1");
        return command.ExecuteScalar() as long?
            ?? throw new StoreFaultException(FaultCode.StoreCorrupt, "The control store is damaged: it does not know its revision.");
    }

    private static SqliteCommand Command(SqliteConnection connection, SqliteTransaction? transaction, string text)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        // Every text is a constant of this file; values travel as parameters.
#pragma warning disable CA2100
        command.CommandText = text;
#pragma warning restore CA2100
        return command;
    }
}
