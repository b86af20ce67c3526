using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace Piccolo.Tests.Fakes.Relays;

/// <summary>A message that the backend sent.</summary>
internal sealed record RelayFrame(bool IsText, byte[] Body)
{
    public bool IsData => !IsText && Body.Length >= 17 && Body[0] == 1;

    public string Text => Encoding.UTF8.GetString(Body);

    public byte[] Payload => Body[17..];

    /// <summary>Hex digits of the 16 bytes in their order, hyphenated as text: independent of how the client under test maps the two.</summary>
    public string DataId
    {
        get
        {
            var hex = Convert.ToHexStringLower(Body.AsSpan(1, 16));
            return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
        }
    }

    public JsonObject? Control => !IsText && Body is [2, ..] ? JsonNode.Parse(Body.AsSpan(1))!.AsObject() : null;

    public bool IsControl(string name, string? id = null) =>
        Control is { } control && (string?)control["event"] == name && (id is null || (string?)control["client_id"] == id);
}

/// <summary>One backend's connection, seen from the relay.</summary>
internal sealed class RelayPeer(WebSocket socket, HttpContext context) : IDisposable
{
    public const string Nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    private readonly Channel<RelayFrame> _frames = Channel.CreateUnbounded<RelayFrame>();
    private readonly List<RelayFrame> _skipped = [];
    private readonly SemaphoreSlim _sending = new(1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _answersProbes = true;
    private volatile TaskCompletionSource? _stall;

    /// <summary>Off: requests of the acknowledgement trick are left to the test.</summary>
    public bool AnswersProbes { set => _answersProbes = value; }

    /// <summary>On: nothing more is read from the backend, pings included, until it is off again.</summary>
    public bool IsStalled
    {
        set
        {
            if (value) _stall = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            else _stall?.TrySetResult();
        }
    }

    public string HandshakeToken { get; private set; } = "";

    public string AttestedToken { get; private set; } = "";

    /// <summary>The backend's goodbye, once <see cref="Ended"/>; null when it just went away.</summary>
    public WebSocketCloseStatus? Goodbye { get; private set; }

    public Task Ended => _ended.Task.WaitAsync(ScriptedRelay.Patience);

    public IHeaderDictionary RequestHeaders { get; } = new HeaderDictionary(context.Request.Headers.ToDictionary());

    public string RequestTarget { get; } = $"{context.Request.Protocol} {context.Request.Path}{context.Request.QueryString}";

    public async Task RunAsync()
    {
        var buffer = new byte[128 * 1024];
        try
        {
            while (true)
            {
                if (_stall is { } stall) await stall.Task;
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    length += part.Count;
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    Goodbye = socket.CloseStatus;
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    break;
                }
                var frame = new RelayFrame(part.MessageType == WebSocketMessageType.Text, buffer[..length]);
                if (_answersProbes && frame.IsControl("outbound_connect")) await AnswerProbeAsync(frame);
                else _frames.Writer.TryWrite(frame);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The backend went, or the test cut it.
        }
        _frames.Writer.TryComplete();
        _ended.TrySetResult();
    }

    public async Task HandshakeAsync()
    {
        HandshakeToken = (await NextTextAsync()).Text;
        await SendTextAsync($$"""{"type":"handshake_challenge","nonce":"{{Nonce}}"}""");
        AttestedToken = (await NextTextAsync()).Text;
    }

    /// <summary>The next frame that fits; those passed over stay for later calls.</summary>
    public async Task<RelayFrame> NextAsync(Func<RelayFrame, bool> fits)
    {
        if (_skipped.FindIndex(frame => fits(frame)) is >= 0 and var index)
        {
            var found = _skipped[index];
            _skipped.RemoveAt(index);
            return found;
        }
        while (true)
        {
            var frame = await _frames.Reader.ReadAsync().AsTask().WaitAsync(ScriptedRelay.Patience);
            if (fits(frame)) return frame;
            _skipped.Add(frame);
        }
    }

    /// <summary>What was passed over, or arrived already, in order.</summary>
    public IReadOnlyList<RelayFrame> Unread()
    {
        while (_frames.Reader.TryRead(out var frame)) _skipped.Add(frame);
        return _skipped;
    }

    public Task<RelayFrame> NextTextAsync() => NextAsync(frame => frame.IsText);

    public Task<RelayFrame> NextDataAsync(string id) => NextAsync(frame => frame.IsData && frame.DataId == id);

    public async Task<JsonObject> NextControlAsync(string name, string? id = null) => (await NextAsync(frame => frame.IsControl(name, id))).Control!;

    /// <summary>Payloads of a stream until they hold so many bytes.</summary>
    public async Task<List<byte[]>> NextPayloadsAsync(string id, int bytes)
    {
        var payloads = new List<byte[]>();
        while (payloads.Sum(payload => payload.Length) < bytes) payloads.Add((await NextDataAsync(id)).Payload);
        return payloads;
    }

    public Task SendTextAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task SendRawAsync(byte[] message) => SendAsync(message, WebSocketMessageType.Binary);

    public Task SendControlAsync(string json) => SendAsync([2, .. Encoding.UTF8.GetBytes(json)], WebSocketMessageType.Binary);

    public Task SendDataAsync(string id, byte[] payload) =>
        SendAsync([1, .. Convert.FromHexString(id.Replace("-", "", StringComparison.Ordinal)), .. payload], WebSocketMessageType.Binary);

    public Task ConnectAsync(string id, string hostname, long credits = 64, string client = "198.51.100.7:51514", string transport = "tcp") => SendControlAsync(
        $$"""{"event":"connect","client_id":"{{id}}","conn_port":443,"client_ip":"{{client}}","transport":"{{transport}}","hostname":"{{hostname}}","is_tls":true,"credits":{{credits}}}""");

    public Task GrantAsync(string id, long credits) => SendControlAsync($$"""{"event":"resume_stream","client_id":"{{id}}","credits":{{credits}}}""");

    public Task DisconnectAsync(string id) => SendControlAsync($$"""{"event":"disconnect","client_id":"{{id}}"}""");

    public async Task CloseAsync(WebSocketCloseStatus status, string reason)
    {
        await _sending.WaitAsync();
        await socket.CloseOutputAsync(status, reason, CancellationToken.None);
        _sending.Release();
    }

    public void Dispose() => _sending.Dispose();

    /// <summary>A bare TCP close, without a close frame.</summary>
    public void Cut() => context.Abort();

    public Task AnswerProbeAsync(RelayFrame probe) => SendControlAsync(
        $$"""{"event":"outbound_result","client_id":"{{(string?)probe.Control!["client_id"]}}","reason":"outbound connections disabled on this proxy"}""");

    private async Task SendAsync(byte[] message, WebSocketMessageType type)
    {
        await _sending.WaitAsync();
        try
        {
            await socket.SendAsync(message.AsMemory(), type, endOfMessage: true, CancellationToken.None);
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The backend may hang up in the middle of a message; tests see it by Ended.
        }
        finally
        {
            _sending.Release();
        }
    }
}
