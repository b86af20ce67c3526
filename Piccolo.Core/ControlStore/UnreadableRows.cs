using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Piccolo.Core.ControlStore;

/// <summary>
/// Rows that were met since the store was opened and that a newer release wrote in a form which this one does not know. They are left alone and left out; the
/// log says so once for each. Thread-safe.
/// </summary>
internal sealed class UnreadableRows(ILogger logger)
{
    private readonly ConcurrentDictionary<(string Collection, string Key), bool> _rows = new();

    public void Add(string collection, string key, string reason)
    {
        if (_rows.TryAdd((collection, key), true)) logger.RowLeftOut(collection, reason);
    }

    public IReadOnlyList<string> KeysOf(string collection) => [.. _rows.Keys.Where(r => r.Collection == collection).Select(r => r.Key)];
}
