using System.Net.Security;

namespace Piccolo.Bench.Ingress;

/// <summary>The bytes of a ClientHello as the TLS stack sends it.</summary>
internal static class RawHello
{
    public static async Task<byte[]> ForAsync(string name)
    {
        var sink = new FirstWrite();
        await using var tls = new SslStream(sink);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name });
        }
        catch (IOException)
        {
            // Nobody answers; the hello has been written.
        }
        return sink.Bytes ?? throw new InvalidOperationException("The TLS stack wrote no ClientHello.");
    }

    private sealed class FirstWrite : MemoryStream
    {
        public byte[]? Bytes { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Bytes ??= buffer.ToArray();
            return ValueTask.CompletedTask;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(0);
    }
}
