using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.DevRelay;

namespace Piccolo.Tests.Tools.DevRelay.Fakes;

/// <summary>A frame that the relay sent; <see cref="Opcode"/> 8 with an empty payload also stands for a connection that ended without a close frame.</summary>
internal sealed record RelayFrame(int Opcode, byte[] Payload, bool Bare = false)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    public int CloseCode => Payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(Payload) : 0;

    public string CloseReason => Payload.Length > 2 ? Encoding.UTF8.GetString(Payload.AsSpan(2)) : "";

    public bool IsControl => Opcode == 2 && Payload.Length > 0 && Payload[0] == 2;

    public bool IsData => Opcode == 2 && Payload.Length >= 17 && Payload[0] == 1;

    public JsonObject Control => JsonNode.Parse(Payload.AsSpan(1))!.AsObject();

    public string Event => (string)Control["event"]!;

    public Guid Id => IsControl ? Guid.Parse((string)Control["client_id"]!) : new Guid(Payload.AsSpan(1, 16), bigEndian: true);

    public byte[] Data => Payload[17..];
}

/// <summary>A backend that does just what a test tells it, on a WebSocket layer of its own, so that every frame of the relay is seen.</summary>
internal sealed class ScriptedBackend : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TcpClient _client;
    private readonly Stream _stream;

    private ScriptedBackend(TcpClient client, Stream stream)
    {
        _client = client;
        _stream = stream;
    }

    /// <summary>Whether the relay's pings are answered.</summary>
    public bool AnswersPings { get; set; } = true;

    public int PingsSeen { get; private set; }

    public string UpgradeResponse { get; private set; } = "";

    public static async Task<ScriptedBackend> ConnectAsync(Relay relay, string path = "/connect", string extra = "")
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(relay.Hub);
        Stream stream = client.GetStream();
        if (relay.HubUri.Scheme == "wss")
        {
            var tls = new SslStream(stream, false, (_, sent, _, _) => sent?.Equals(TestCertificate.Hub) is true);
            await tls.AuthenticateAsClientAsync(TestCertificate.Host);
            stream = tls;
        }

        var backend = new ScriptedBackend(client, stream);
        await backend.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"));
        backend.UpgradeResponse = await backend.ReadHeadAsync();
        return backend;
    }

    /// <summary>Dials and passes the whole handshake; the pong proves that the session is registered.</summary>
    public static async Task<ScriptedBackend> OpenAsync(Relay relay, JsonObject claims, JsonObject? stage1 = null)
    {
        var backend = await ConnectAsync(relay);
        await backend.SendTextAsync(TestTokens.Sign(claims));
        var nonce = await backend.ReadChallengeAsync("handshake_challenge");
        await backend.SendTextAsync(TestTokens.Sign((stage1 ?? claims).With("session_nonce", nonce)));
        await backend.SendAsync(0x9, "registered?"u8.ToArray());
        var answer = await backend.ReadAsync();
        Assert.That(answer.Opcode, Is.EqualTo(0xA), answer.CloseReason);
        return backend;
    }

    public static Task<ScriptedBackend> OpenAsync(Relay relay, params string[] hostnames) => OpenAsync(relay, TestTokens.Claims(hostnames));

    public async Task<string> ReadChallengeAsync(string type)
    {
        var frame = await NextAsync();
        Assert.That(frame.Opcode, Is.EqualTo(1), frame.CloseReason);
        var challenge = JsonNode.Parse(frame.Payload)!.AsObject();
        Assert.That((string)challenge["type"]!, Is.EqualTo(type));
        return (string)challenge["nonce"]!;
    }

    public Task SendTextAsync(string text) => SendAsync(0x1, Encoding.UTF8.GetBytes(text));

    public Task SendBinaryAsync(byte[] message) => SendAsync(0x2, message);

    public Task SendDataAsync(Guid id, byte[] payload) => SendBinaryAsync(DataMessage(id, payload));

    public Task SendControlAsync(string name, Guid id, Action<JsonObject>? add = null)
    {
        var json = new JsonObject { ["event"] = name, ["client_id"] = id.ToString() };
        add?.Invoke(json);
        return SendBinaryAsync([2, .. Encoding.UTF8.GetBytes(json.ToJsonString())]);
    }

    public Task GrantAsync(Guid id, long credits) => SendControlAsync("resume_stream", id, j => j["credits"] = credits);

    public Task SendAsync(int opcode, byte[] payload, bool final = true, bool masked = true) => WriteAsync(Frame(opcode, payload, final, masked));

    public async Task WriteAsync(byte[] bytes)
    {
        await _stream.WriteAsync(bytes).AsTask().WaitAsync(Patience);
        await _stream.FlushAsync();
    }

    public static byte[] DataMessage(Guid id, byte[] payload)
    {
        var message = new byte[17 + payload.Length];
        message[0] = 1;
        id.TryWriteBytes(message.AsSpan(1), bigEndian: true, out _);
        payload.CopyTo(message, 17);
        return message;
    }

    public static byte[] Frame(int opcode, byte[] payload, bool final = true, bool masked = true)
    {
        byte[] mask = [0x37, 0xfa, 0x21, 0x3d];
        var frame = new List<byte> { (byte)((final ? 0x80 : 0) | opcode) };
        var bit = masked ? 0x80 : 0;
        if (payload.Length < 126)
        {
            frame.Add((byte)(bit | payload.Length));
        }
        else if (payload.Length <= 0xffff)
        {
            frame.AddRange([(byte)(bit | 126), (byte)(payload.Length >> 8), (byte)payload.Length]);
        }
        else
        {
            frame.AddRange([(byte)(bit | 127), 0, 0, 0, 0, (byte)(payload.Length >> 24), (byte)(payload.Length >> 16), (byte)(payload.Length >> 8),
                (byte)payload.Length]);
        }

        if (masked) frame.AddRange(mask);
        frame.AddRange(masked ? payload.Select((b, i) => (byte)(b ^ mask[i % 4])) : payload);
        return [.. frame];
    }

    /// <summary>The next message, close or end; pings are answered and skipped.</summary>
    public async Task<RelayFrame> NextAsync()
    {
        while (true)
        {
            var frame = await ReadAsync();
            if (frame.Opcode == 0xA) continue;
            if (frame.Opcode != 0x9) return frame;
            PingsSeen++;
            if (AnswersPings) await SendAsync(0xA, frame.Payload);
        }
    }

    /// <summary>The next control message, which must be of this kind.</summary>
    public async Task<RelayFrame> NextControlAsync(string name)
    {
        var frame = await NextAsync();
        Assert.That(frame.IsControl, Is.True, $"opcode {frame.Opcode} {frame.CloseReason} instead of {name}");
        Assert.That(frame.Event, Is.EqualTo(name), frame.Text[1..]);
        return frame;
    }

    public async Task<RelayFrame> NextDataAsync(Guid id)
    {
        var frame = await NextAsync();
        Assert.That(frame.IsData, Is.True, frame.Opcode == 2 ? frame.Text[1..] : $"opcode {frame.Opcode} {frame.CloseReason}");
        Assert.That(frame.Id, Is.EqualTo(id));
        return frame;
    }

    /// <summary>
    /// All messages that the relay had for us by now. A pong would not do as a marker, for it overtakes both lanes; failed outbound results go through the
    /// control lane, and the lanes are served in turn, so with the third of them a few messages of either lane have come as well.
    /// </summary>
    public async Task<List<RelayFrame>> UntilAnsweredAsync()
    {
        var markers = new[] { Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid() };
        foreach (var marker in markers) await SendControlAsync("outbound_connect", marker);
        var frames = new List<RelayFrame>();
        while (true)
        {
            var frame = await NextAsync();
            Assert.That(frame.Opcode, Is.Not.EqualTo(8), frame.CloseReason);
            if (frame.IsControl && frame.Id == markers[^1]) return frames;
            if (!frame.IsControl || !markers.Contains(frame.Id)) frames.Add(frame);
        }
    }

    public async Task<RelayFrame> ReadAsync()
    {
        try
        {
            var head = await ExactlyAsync(2);
            var length = head[1] & 0x7f;
            if (length == 126) length = BinaryPrimitives.ReadUInt16BigEndian(await ExactlyAsync(2));
            else if (length == 127) length = (int)BinaryPrimitives.ReadUInt64BigEndian(await ExactlyAsync(8));
            Assert.That(head[1] & 0x80, Is.Zero, "a server must not mask");
            Assert.That(head[0] & 0xf0, Is.EqualTo(0x80), "one message is one frame");
            return new RelayFrame(head[0] & 0x0f, await ExactlyAsync(length));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return new RelayFrame(8, [], Bare: true);
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Raw bytes of the relay, for comparing whole frames.</summary>
    public async Task<byte[]> ExactlyAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(Patience);
        return bytes;
    }

    private async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await _stream.ReadAsync(one).AsTask().WaitAsync(Patience) == 0) break;
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
