using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes;

/// <summary>
/// Deletes a folder with all that is in it. An app may have nested folders deeper than any path can name: each one is moved up before it is emptied, so that
/// no path grows. Links are deleted, never followed.
/// </summary>
internal static class TreeRemoval
{
    /// <exception cref="IOException">Something cannot be deleted.</exception>
    public static void Delete(string folder, CancellationToken cancellationToken)
    {
        if (FileFacts.Of(folder, out _) is not { } facts) return;
        if (facts.Kind != FileKind.Folder)
        {
            File.Delete(folder);
            return;
        }
        var waiting = new Stack<string>([folder]);
        while (waiting.TryPeek(out var next))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var inner = EmptyOfFiles(next, folder, facts.Device);
            if (inner.Count == 0)
            {
                Directory.Delete(waiting.Pop());
                continue;
            }
            foreach (var deeper in inner) waiting.Push(deeper);
        }
    }

    /// <returns>The folders that were in it; of a deeper one they now lie in the outermost.</returns>
    private static List<string> EmptyOfFiles(string folder, string outermost, ulong device)
    {
        var inner = new List<string>();
        foreach (var entry in Directory.EnumerateFileSystemEntries(folder).ToList())
        {
            var facts = FileFacts.Of(entry, out _);
            if (facts is { } mounted && mounted.Device != device) throw new IOException("Another file system is mounted in a folder that is to be deleted.");
            if (facts?.Kind != FileKind.Folder)
            {
                File.Delete(entry);
                continue;
            }
            if (folder == outermost)
            {
                inner.Add(entry);
                continue;
            }
            var higher = Path.Combine(outermost, Guid.NewGuid().ToString("N"));
            Directory.Move(entry, higher);
            inner.Add(higher);
        }
        return inner;
    }
}
