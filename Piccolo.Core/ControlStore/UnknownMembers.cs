using System.Text.Json.Nodes;

namespace Piccolo.Core.ControlStore;

/// <summary>
/// Members of a stored record that this release does not know, because a newer one added them: they stay when this release changes the record, so that going
/// back and forth between releases loses nothing. Pure.
/// </summary>
internal static class UnknownMembers
{
    /// <param name="stored">The record as it lies in the store.</param>
    /// <param name="known">The same record as this release reads and writes it.</param>
    /// <param name="next">What this release wants to store now.</param>
    /// <returns><paramref name="next"/> with the members of <paramref name="stored"/> that <paramref name="known"/> lacks.</returns>
    public static byte[] Keep(byte[] stored, byte[] known, byte[] next)
    {
        if (stored.AsSpan().SequenceEqual(known)) return next;
        var result = JsonNode.Parse(next)!;
        Copy(JsonNode.Parse(stored), JsonNode.Parse(known), result);
        return System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(result);
    }

    private static void Copy(JsonNode? stored, JsonNode? known, JsonNode? next)
    {
        if (stored is JsonObject from && known is JsonObject read && next is JsonObject into)
        {
            foreach (var (name, value) in from)
            {
                if (read.ContainsKey(name)) Copy(value, read[name], into[name]);
                else if (value is not null && !into.ContainsKey(name)) into[name] = value.DeepClone();
            }
        }
        // An entry is the same one only where nothing of it has changed.
        else if (stored is JsonArray { Count: var count } list && known is JsonArray seen && next is JsonArray target && seen.Count == count
            && target.Count == count)
        {
            for (var i = 0; i < count; i++)
                if (JsonNode.DeepEquals(seen[i], target[i])) Copy(list[i], seen[i], target[i]);
        }
    }
}
