namespace Piccolo.DevRelay.Protocol;

/// <summary>The numbers of the wire protocol between a relay and its backends.</summary>
internal static class Nexus
{
    public const string Path = "/connect";
    public const string Issuer = "authorizer";
    public const string Audience = "nexus";
    public const string Tcp = "tcp";

    public const byte DataKind = 0x01;
    public const byte ControlKind = 0x02;
    public const int IdLength = 16;
    public const int DataHeader = 1 + IdLength;

    public const int ChunkLimit = 32_768;

    /// <summary>What a backend may send in one message once the handshake is over.</summary>
    public const int ReceiveLimit = ChunkLimit + DataHeader;

    public const int InitialCredits = 64;
    public const int ReplenishBatch = 8;
    public const int UserBuffer = 2 * InitialCredits;
    public const int LaneLimit = 256;
    public const long LargestGrant = 1_048_576;

    public const int TlsPreludeLimit = 32_768;
    public const int HttpPreludeLimit = 65_536;

    public static string TcpKey(int port) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"tcp:{port}");
}
