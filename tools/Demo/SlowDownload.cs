using System.Security.Cryptography;

namespace Piccolo.Demo;

/// <summary>A download whose reader is in no hurry until it is told to be, so that it outlasts whatever happens meanwhile.</summary>
internal static class SlowDownload
{
    private const int Sip = 16 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <returns>The SHA-256 of the whole body.</returns>
    public static async Task<byte[]> HashAsync(HttpClient client, Uri uri, Task hurry)
    {
        using var response = await client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Sip];
        int read;
        while ((read = await body.ReadAsync(buffer)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            if (!hurry.IsCompleted) await Task.WhenAny(hurry, Task.Delay(Pause, TimeProvider.System));
        }
        return hash.GetHashAndReset();
    }
}
