using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Entry;

[Category("DevRelay")]
internal sealed class RelayTlsTests
{
    [Test]
    public async Task Hub_OverTls_ServesAWholeSession()
    {
        await using var relay = await RelayFixture.StartAsync(o =>
        {
            o.HubCertificate = TestCertificate.Hub;
            o.HubHost = TestCertificate.Host;
        });
        Assert.That(relay.HubUri.ToString(), Is.EqualTo($"wss://{TestCertificate.Host}:{relay.Hub.Port}/connect"));
        await using var backend = await ScriptedBackend.OpenAsync(relay, "app.example.test");

        var (user, id) = await relay.OpenStreamAsync(backend, TestHellos.AppExampleTest);
        await backend.SendDataAsync(id, "through"u8.ToArray());

        Assert.That(await user.ReadExactlyAsync(7), Is.EqualTo("through"u8.ToArray()));
        user.Dispose();
    }

    [Test]
    public async Task ClientWebSocket_PassesTheHandshakeAndIsAcknowledgedByOutboundResult()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.HubCertificate = TestCertificate.Hub);
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, sent, _, _) => sent?.Equals(TestCertificate.Hub) is true;
        await socket.ConnectAsync(relay.HubUri, default);
        var claims = TestTokens.Claims("app.example.test");

        await SendAsync(socket, WebSocketMessageType.Text, Encoding.ASCII.GetBytes(TestTokens.Sign(claims)));
        var nonce = (string)JsonNode.Parse(await ReceiveAsync(socket))!["nonce"]!;
        await SendAsync(socket, WebSocketMessageType.Text, Encoding.ASCII.GetBytes(TestTokens.Sign(claims.With("session_nonce", nonce))));
        await SendAsync(socket, WebSocketMessageType.Binary,
            [2, .. Encoding.ASCII.GetBytes($$"""{"event":"outbound_connect","client_id":"{{Guid.NewGuid()}}"}""")]);

        Assert.That(Encoding.ASCII.GetString(await ReceiveAsync(socket)), Does.Contain("outbound_result").And.Not.Contain("success"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", default).WaitAsync(ScriptedBackend.Patience);
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
    }

    [Test]
    public async Task TlsOfTheUser_EndsAtTheBackendNotAtTheRelay()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, TestCertificate.Host);
        using var socket = await relay.KnockAsync([]);
        var serving = ServeTlsAsync(backend);
        await using var tls = new SslStream(new NetworkStream(socket), false, (_, sent, _, _) => sent?.Equals(TestCertificate.Hub) is true);

        await tls.AuthenticateAsClientAsync(TestCertificate.Host).WaitAsync(ScriptedBackend.Patience);
        await tls.WriteAsync("ping"u8.ToArray());
        var answer = new byte[4];
        await tls.ReadExactlyAsync(answer).AsTask().WaitAsync(ScriptedBackend.Patience);

        Assert.That(answer, Is.EqualTo("PING"u8.ToArray()));
        await serving;
    }

    /// <summary>Terminates TLS over the frames of one stream and answers four bytes in upper case.</summary>
    private static async Task ServeTlsAsync(ScriptedBackend backend)
    {
        var connect = await backend.NextControlAsync("connect");
        await using var frames = new FrameStream(backend, connect.Id);
        await using var tls = new SslStream(frames);
        await tls.AuthenticateAsServerAsync(TestCertificate.Hub);
        var request = new byte[4];
        await tls.ReadExactlyAsync(request);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(request).ToUpperInvariant()));
    }

    private static Task SendAsync(ClientWebSocket socket, WebSocketMessageType type, byte[] bytes) => socket.SendAsync(bytes, type, true, default);

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket socket)
    {
        var buffer = new byte[4_096];
        var result = await socket.ReceiveAsync(buffer, default).WaitAsync(ScriptedBackend.Patience);
        Assert.That(result.EndOfMessage, Is.True);
        return buffer[..result.Count];
    }
}
