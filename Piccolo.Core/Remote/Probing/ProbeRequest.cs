using System.Globalization;
using System.Text;

namespace Piccolo.Core.Remote.Probing;

/// <summary>The one request of a probe, and whether its answer is ours. Bounded: whoever answers, no more than a few KiB are read.</summary>
internal static class ProbeRequest
{
    private const int MaxResponseBytes = 8 * 1024;

    /// <returns>Null when this process answered; else one sentence.</returns>
    public static async Task<string?> SendAsync(Stream stream, string host, ProbeNonces.PendingProbe probe, CancellationToken cancellationToken)
    {
        var request = $"GET {ProbeNonces.PathPrefix}{probe.Nonce} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: piccolo-probe\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        var buffer = new byte[MaxResponseBytes];
        var length = 0;
        int read;
        while (length < buffer.Length && (read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0)
        {
            length += read;
            if (Encoding.ASCII.GetString(buffer, 0, length).Contains(probe.Answer, StringComparison.Ordinal)) return null;
        }
        return length == 0 ? "the connection ended without an answer" : $"something else answered ({StatusOf(Encoding.ASCII.GetString(buffer, 0, length))})";
    }

    private static string StatusOf(string answer) =>
        answer.Split(' ', 3) is [var version, var status, _] && version.StartsWith("HTTP/1.", StringComparison.Ordinal)
            && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? string.Create(CultureInfo.InvariantCulture, $"HTTP status {code}")
            : "not HTTP";
}
