using System.Text;
using System.Text.Json;

namespace Piccolo.DevRelay.Protocol;

/// <summary>Builds and takes apart the binary messages and builds the two text challenges. Pure.</summary>
internal static class NexusMessages
{
    /// <summary><c>01</c>, the id in network order, the payload.</summary>
    public static byte[] Data(Guid id, ReadOnlySpan<byte> payload)
    {
        var message = GC.AllocateUninitializedArray<byte>(Nexus.DataHeader + payload.Length);
        message[0] = Nexus.DataKind;
        id.TryWriteBytes(message.AsSpan(1, Nexus.IdLength), bigEndian: true, out _);
        payload.CopyTo(message.AsSpan(Nexus.DataHeader));
        return message;
    }

    public static bool TryReadData(ReadOnlySpan<byte> message, out Guid id)
    {
        id = default;
        if (message.Length < Nexus.DataHeader || message[0] != Nexus.DataKind) return false;
        id = new Guid(message.Slice(1, Nexus.IdLength), bigEndian: true);
        return true;
    }

    /// <summary><c>02</c> and the JSON object.</summary>
    public static byte[] Control(ControlMessage message)
    {
        var json = message.ToJson();
        var bytes = new byte[1 + json.Length];
        bytes[0] = Nexus.ControlKind;
        json.CopyTo(bytes.AsSpan(1));
        return bytes;
    }

    public static byte[] HandshakeChallenge(string nonce) => Challenge("handshake_challenge", nonce);

    public static byte[] ReauthChallenge(string nonce) => Challenge("reauth_challenge", nonce);

    private static byte[] Challenge(string type, string nonce) =>
        Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","nonce":"{{JsonEncodedText.Encode(nonce)}}"}""");
}
