using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Tests.Fakes.Relays;

/// <summary>
/// A public address that behaves as a test says from one connection to the next: passes on to a relay, ends TLS under a certificate of its own, takes
/// connections and says nothing, or hangs up.
/// </summary>
internal sealed class PublicDoor : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private Func<Socket, Task> _serve;
    private long _accepted;
    private long _overheard;

    /// <param name="port">0 picks one.</param>
    public PublicDoor(int port = 0)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _serve = _ => Task.CompletedTask;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Bytes that somebody sent to the one who ended TLS, after the handshake.</summary>
    public long Overheard => Interlocked.Read(ref _overheard);

    public void LeadsTo(IPEndPoint server) => _serve = async socket =>
    {
        using var upstream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await upstream.ConnectAsync(server, _stopping.Token);
        await Task.WhenAny(CopyAsync(socket, upstream), CopyAsync(upstream, socket));
    };

    public void EndsTls(X509Certificate2 certificate) => _serve = async socket =>
    {
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stopping.Token);
        var buffer = new byte[4096];
        int read;
        while ((read = await tls.ReadAsync(buffer, _stopping.Token)) > 0) Interlocked.Add(ref _overheard, read);
    };

    /// <summary>Says this in TLS under the given certificate, over and over, whatever it is asked.</summary>
    public void SaysUnderTls(X509Certificate2 certificate, byte[] answer, bool forEver = false) => _serve = async socket =>
    {
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stopping.Token);
        do await tls.WriteAsync(answer, _stopping.Token);
        while (forEver);
    };

    public void Says(byte[] bytes) => _serve = async socket => await socket.SendAsync(bytes, SocketFlags.None, _stopping.Token);

    public void SaysNothing() => _serve = _ => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stopping.Token);

    public void HangsUp() => _serve = _ => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptSocketAsync(_stopping.Token);
                Interlocked.Increment(ref _accepted);
                _ = ServeAsync(socket, _serve);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static async Task ServeAsync(Socket socket, Func<Socket, Task> serve)
    {
        using (socket)
        {
            try
            {
                await serve(socket);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException or ObjectDisposedException)
            {
                // The visitor went, or the test ended.
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        try
        {
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await from.ReceiveAsync(buffer, SocketFlags.None, _stopping.Token)) > 0)
                await to.SendAsync(buffer.AsMemory(0, read), SocketFlags.None, _stopping.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side went: the other goes with it.
        }
    }
}
