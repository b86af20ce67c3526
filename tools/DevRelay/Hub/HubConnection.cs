using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Piccolo.DevRelay.Hub;

/// <summary>One connection at the hub, from the TLS handshake to the end of its session.</summary>
internal sealed class HubConnection(Socket socket, SslStreamCertificateContext? certificate, SessionTable sessions, RelayOptions options, RelayFaults faults,
    ILogger logger)
{
    private static readonly TimeSpan LingerAfterRefusal = TimeSpan.FromSeconds(1);

    private readonly IPEndPoint _backend = (IPEndPoint)socket.RemoteEndPoint!;

    public async Task RunAsync(CancellationToken stopping)
    {
        if (faults.Hang) await Task.Delay(Timeout.InfiniteTimeSpan, options.Time, stopping);
        socket.NoDelay = true;
        await using var plain = new NetworkStream(socket, ownsSocket: false);
        await using var stream = await OpenAsync(plain, stopping);
        if (stream is null) return;
        using var webSocket = new ServerWebSocket(stream, options.Clocks.Write, options.Time) { ReceiveLimit = Handshake.TokenLimit };
        var result = await new Handshake(webSocket, options, faults).RunAsync(stopping);
        if (result.Grant is not null) await ServeAsync(webSocket, result.Grant, stopping);
        else await RefuseAsync(webSocket, result, stopping);
    }

    private async Task<Stream?> OpenAsync(NetworkStream plain, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(options.Clocks.Handshake, options.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        Stream stream = plain;
        if (certificate is not null)
        {
            var tls = new SslStream(plain, leaveInnerStreamOpen: true);
            stream = tls;
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificateContext = certificate, ApplicationProtocols = [SslApplicationProtocol.Http11] },
                waiting.Token);
        }

        return await HttpUpgrade.AcceptAsync(stream, waiting.Token) ? stream : null;
    }

    private async Task ServeAsync(ServerWebSocket webSocket, SessionGrant grant, CancellationToken stopping)
    {
        using var session = new Session(sessions.NextId(), _backend, grant, webSocket, options, faults, sessions.Counters, logger);
        // Whatever ends the session ends the connection, also under a write that the backend does not take.
        using var abort = session.Ended.Register(Close);
        sessions.Counters.Add(RelayCount.SessionsAccepted);
        sessions.Add(session);
        logger.SessionAccepted(session.Id, _backend, string.Join(' ', grant.RouteKeys), grant.Weight);
        try
        {
            logger.SessionEnded(session.Id, await session.RunAsync(stopping));
        }
        finally
        {
            sessions.Remove(session);
        }

        await session.EndStreamsAsync(stopping.IsCancellationRequested ? TimeSpan.Zero : options.Clocks.HalfCloseGrace);
    }

    private async Task RefuseAsync(ServerWebSocket webSocket, HandshakeResult result, CancellationToken stopping)
    {
        sessions.Counters.Add(RelayCount.SessionsRefused);
        logger.SessionRefused(_backend, result.Refusal!);
        if (result.Bare) return;
        await webSocket.SendCloseAsync(ServerWebSocket.PolicyViolation, result.Refusal!, stopping);
        socket.Shutdown(SocketShutdown.Send);
        // Closing with bytes unread resets the connection and may cost the backend the close frame, so read on for a moment.
        using var limit = new CancellationTokenSource(LingerAfterRefusal, options.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        var rest = new byte[4_096];
        while (await socket.ReceiveAsync(rest, SocketFlags.None, waiting.Token) > 0)
        {
        }
    }

    private void Close()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The backend has gone already.
        }

        socket.Dispose();
    }
}
