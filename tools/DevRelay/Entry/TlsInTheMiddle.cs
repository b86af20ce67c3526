using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.DevRelay.Routing;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Entry;

/// <summary>A relay that ends its users' TLS, as a fault: the name's certificate is made on the spot, and every request gets the same page.</summary>
internal static class TlsInTheMiddle
{
    private static readonly byte[] Page =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 23\r\nConnection: close\r\n\r\nread by the relay, too\n"u8.ToArray();

    public static async Task ServeAsync(UserConnection user, UserRoute route, TimeProvider time, CancellationToken stopping)
    {
        using var certificate = Forge(route.Key, time);
        await using var replay = new ReplayStream(user, route.Prelude);
        await using var tls = new SslStream(replay);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stopping);
        var request = new byte[4_096];
        if (await tls.ReadAsync(request, stopping) == 0) return;
        await tls.WriteAsync(Page, stopping);
        await tls.ShutdownAsync();
    }

    private static X509Certificate2 Forge(string name, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    /// <summary>First what was peeked, then the user's socket.</summary>
    private sealed class ReplayStream(UserConnection user, ReadOnlyMemory<byte> peeked) : Stream
    {
        private ReadOnlyMemory<byte> _peeked = peeked;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_peeked.IsEmpty) return await user.ReadAsync(buffer, cancellationToken);
            var count = Math.Min(buffer.Length, _peeked.Length);
            _peeked[..count].CopyTo(buffer);
            _peeked = _peeked[count..];
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            user.WriteAsync(buffer, cancellationToken);

        public override void Flush()
        {
            // Nothing is held back.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
