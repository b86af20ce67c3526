using Piccolo.Core.Primitives;

namespace Piccolo.Core.Vault;

/// <summary>Reads a file of unknown content without trusting its length.</summary>
internal static class KeySetFile
{
    /// <returns>At most one byte more than a key set may have, so that a longer file shows itself.</returns>
    public static byte[] Read(string path)
    {
        using var stream = StateFile.OpenRead(path);
        var content = new byte[KeySet.MaxFileBytes + 1];
        return content[..stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false)];
    }
}
