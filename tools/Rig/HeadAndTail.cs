namespace Piccolo.Rig;

/// <summary>Shortens a log in its middle: what went wrong stands at the top of a stack trace, what happened last at the bottom.</summary>
public static class HeadAndTail
{
    /// <returns>All lines, or the first and the last with a line between them that counts what is left out.</returns>
    public static IReadOnlyList<string> Of(IEnumerable<string> lines, int head, int tail)
    {
        var all = lines.ToList();
        return all.Count <= head + tail ? all : [.. all.Take(head), $"… {all.Count - head - tail} lines …", .. all.TakeLast(tail)];
    }
}
