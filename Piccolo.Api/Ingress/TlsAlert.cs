using System.IO.Pipelines;

namespace Piccolo.Api.Ingress;

/// <summary>Fatal alerts that are sent before any handshake: plaintext records (RFC 8446, 6).</summary>
internal static class TlsAlert
{
    // Alert record, legacy version 1.2, length 2, fatal, unrecognized_name (RFC 6066, 3).
    private static readonly byte[] UnrecognizedNameRecord = [21, 3, 3, 0, 2, 2, 112];

    /// <summary>Seven bytes as the first of an empty pipe: this never waits, so it takes no token. A client that has sent its FIN still reads.</summary>
    public static async ValueTask SendUnrecognizedNameAsync(PipeWriter output) =>
        await output.WriteAsync(UnrecognizedNameRecord);
}
