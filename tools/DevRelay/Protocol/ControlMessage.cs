using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Piccolo.DevRelay.Protocol;

/// <summary>One control message. Members that hold their zero value are not written, except <c>event</c> and <c>client_id</c>.</summary>
internal sealed record ControlMessage(string Event, Guid ClientId)
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };
    private static readonly JsonDocumentOptions Bounded = new() { MaxDepth = 16 };

    public int ConnPort { get; init; }

    public string ClientIp { get; init; } = "";

    public string Transport { get; init; } = "";

    public string Hostname { get; init; } = "";

    public bool IsTls { get; init; }

    public string Reason { get; init; } = "";

    public string TargetAddr { get; init; } = "";

    public bool Success { get; init; }

    public long Credits { get; init; }

    public ReadOnlySpan<byte> ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Compact))
        {
            json.WriteStartObject();
            json.WriteString("event", Event);
            json.WriteString("client_id", ClientId.ToString("D"));
            if (ConnPort != 0) json.WriteNumber("conn_port", ConnPort);
            WriteText(json, "client_ip", ClientIp);
            WriteText(json, "transport", Transport);
            WriteText(json, "hostname", Hostname);
            if (IsTls) json.WriteBoolean("is_tls", true);
            WriteText(json, "reason", Reason);
            WriteText(json, "target_addr", TargetAddr);
            if (Success) json.WriteBoolean("success", true);
            if (Credits != 0) json.WriteNumber("credits", Credits);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan;
    }

    /// <summary>
    /// Unknown members are ignored, null counts as absent, names match in any case; a wrong type or a client id that is no UUID refuses the message.
    /// </summary>
    public static ControlMessage? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Bounded);
            if (document.RootElement.ValueKind is not JsonValueKind.Object) return null;
            var message = new ControlMessage("", Guid.Empty);
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.Value.ValueKind is JsonValueKind.Null) continue;
                message = With(message, member.Name.ToLowerInvariant(), member.Value);
            }

            return message;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static ControlMessage With(ControlMessage message, string name, JsonElement value) => name switch
    {
        "event" => message with { Event = value.GetString()! },
        "client_id" => message with { ClientId = Guid.Parse(value.GetString()!) },
        "conn_port" => message with { ConnPort = value.GetInt32() },
        "client_ip" => message with { ClientIp = value.GetString()! },
        "transport" => message with { Transport = value.GetString()! },
        "hostname" => message with { Hostname = value.GetString()! },
        "is_tls" => message with { IsTls = value.GetBoolean() },
        "reason" => message with { Reason = value.GetString()! },
        "target_addr" => message with { TargetAddr = value.GetString()! },
        "success" => message with { Success = value.GetBoolean() },
        "credits" => message with { Credits = value.GetInt64() },
        _ => message,
    };

    private static void WriteText(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0) json.WriteString(name, value);
    }
}
