namespace Piccolo.Core.Vault;

/// <summary>Reads a file of unknown content without trusting its length.</summary>
internal static class KeySetFile
{
    /// <returns>At most one byte more than a key set may have, so that a longer file shows itself.</returns>
    public static byte[] Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var content = new byte[KeySet.MaxFileLength + 1];
        return content[..stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false)];
    }
}

/// <summary>Runs an Argon2 on a thread of its own: it takes up to a second, and requests need the pool's few threads.</summary>
internal static class OffPool
{
    public static Task<T> RunAsync<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
