using System.Text.Json;
using System.Text.Json.Serialization;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>One control message. Members that hold the zero value are not written, except event and client_id; unknown members are not read.</summary>
internal sealed record ControlMessage
{
    [JsonPropertyName("event"), JsonPropertyOrder(0), JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Event { get; init; } = "";

    [JsonPropertyName("client_id"), JsonPropertyOrder(1), JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    [JsonConverter(typeof(StreamIdConverter))]
    public StreamId ClientId { get; init; }

    [JsonPropertyName("conn_port"), JsonPropertyOrder(2)]
    public int? ConnPort { get; init; }

    [JsonPropertyName("client_ip"), JsonPropertyOrder(3)]
    public string? ClientIp { get; init; }

    [JsonPropertyName("transport"), JsonPropertyOrder(4)]
    public string? Transport { get; init; }

    [JsonPropertyName("hostname"), JsonPropertyOrder(5)]
    public string? Hostname { get; init; }

    [JsonPropertyName("is_tls"), JsonPropertyOrder(6)]
    public bool? IsTls { get; init; }

    [JsonPropertyName("reason"), JsonPropertyOrder(7)]
    public string? Reason { get; init; }

    [JsonPropertyName("target_addr"), JsonPropertyOrder(8)]
    public string? TargetAddress { get; init; }

    [JsonPropertyName("success"), JsonPropertyOrder(9)]
    public bool? Success { get; init; }

    [JsonPropertyName("credits"), JsonPropertyOrder(10)]
    public long? Credits { get; init; }

    public static ControlMessage Disconnect(StreamId id, string reason) => new() { Event = ControlEvent.Disconnect, ClientId = id, Reason = reason };

    public static ControlMessage Grant(StreamId id, long credits) => new() { Event = ControlEvent.ResumeStream, ClientId = id, Credits = credits };

    /// <summary>A request that every relay refuses: its answer proves that the relay reads our frames.</summary>
    public static ControlMessage Probe(StreamId id) => new() { Event = ControlEvent.OutboundConnect, ClientId = id };

    /// <summary>Asks whether the relay still knows a stream; it answers only if it does.</summary>
    public static ControlMessage PingStream(StreamId id) => new() { Event = ControlEvent.PingClient, ClientId = id };

    internal sealed class StreamIdConverter : JsonConverter<StreamId>
    {
        public override bool HandleNull => true;

        public override StreamId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.Null) return default;
            if (reader.TokenType != JsonTokenType.String || !Guid.TryParseExact(reader.GetString(), "D", out var id))
                throw new JsonException("client_id is not a UUID.");
            return new StreamId(id);
        }

        public override void Write(Utf8JsonWriter writer, StreamId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}

/// <summary>The events that we know.</summary>
internal static class ControlEvent
{
    public const string Connect = "connect";
    public const string Disconnect = "disconnect";
    public const string ResumeStream = "resume_stream";
    public const string PingClient = "ping_client";
    public const string PongClient = "pong_client";
    public const string OutboundConnect = "outbound_connect";
    public const string OutboundResult = "outbound_result";
}

/// <summary>Why we end a stream. The relay only logs it.</summary>
internal static class DisconnectReason
{
    public const string Normal = "normal";
    public const string BufferFull = "buffer_full";
    public const string DialFailed = "dial_failed";
    public const string Timeout = "timeout";
    public const string LocalError = "local_error";
    public const string Unknown = "unknown";
    public const string SessionEnded = "session_ended";
}

/// <summary>A text frame from the relay: the challenge of the handshake or of a re-authentication.</summary>
internal sealed record ChallengeMessage
{
    public const string Handshake = "handshake_challenge";
    public const string Reauthentication = "reauth_challenge";

    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("nonce")]
    public string? Nonce { get; init; }
}

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, MaxDepth = 16)]
[JsonSerializable(typeof(ControlMessage))]
[JsonSerializable(typeof(ChallengeMessage))]
internal sealed partial class TunnelJson : JsonSerializerContext;
