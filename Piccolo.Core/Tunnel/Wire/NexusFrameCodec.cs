using System.Text.Json;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Core.Tunnel.Wire;

internal enum NexusFrameKind
{
    /// <summary>Nothing that we know; to be ignored.</summary>
    Unknown,
    Data,
    Control,
}

/// <summary>
/// The binary messages of a session, pure and span based: <c>01 | 16 bytes id | payload</c> and <c>02 | JSON</c>. No input makes it throw.
/// </summary>
internal static class NexusFrameCodec
{
    public const int DataHeaderLength = 1 + StreamId.Length;

    /// <summary>More than this in one message makes the relay close the whole session with 1009.</summary>
    public const int MaxPayloadBytes = 32_768;

    private const byte DataKind = 0x01;
    private const byte ControlKind = 0x02;

    public static NexusFrameKind Classify(ReadOnlySpan<byte> message) => message switch
    {
        [DataKind, ..] when message.Length >= DataHeaderLength => NexusFrameKind.Data,
        [ControlKind, ..] => NexusFrameKind.Control,
        _ => NexusFrameKind.Unknown,
    };

    public static StreamId ReadDataId(ReadOnlySpan<byte> message) => StreamId.Read(message[1..]);

    public static ReadOnlySpan<byte> ReadDataPayload(ReadOnlySpan<byte> message) => message[DataHeaderLength..];

    public static void WriteDataHeader(Span<byte> destination, StreamId id)
    {
        destination[0] = DataKind;
        id.Write(destination[1..]);
    }

    /// <returns>Null for what the relay would ignore as well: broken JSON, members of a wrong type, an id that is no UUID.</returns>
    public static ControlMessage? ReadControl(ReadOnlySpan<byte> message) => Deserialize(message[1..], TunnelJson.Default.ControlMessage);

    public static ChallengeMessage? ReadChallenge(ReadOnlySpan<byte> text) => Deserialize(text, TunnelJson.Default.ChallengeMessage);

    public static byte[] WriteControl(ControlMessage message)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, TunnelJson.Default.ControlMessage);
        var frame = new byte[1 + json.Length];
        frame[0] = ControlKind;
        json.CopyTo(frame, 1);
        return frame;
    }

    private static T? Deserialize<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
