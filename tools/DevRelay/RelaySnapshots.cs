using System.Net;

namespace Piccolo.DevRelay;

/// <summary>An accepted session at one moment.</summary>
public sealed record SessionSnapshot(
    long Id,
    IPEndPoint Backend,
    DateTimeOffset Since,
    IReadOnlyList<string> Hostnames,
    IReadOnlyList<int> TcpPorts,
    int Weight,
    long Reauthentications,
    IReadOnlyList<StreamSnapshot> Streams);

/// <summary>
/// A user's stream at one moment. <see cref="Buffered"/> counts messages that wait toward the user, <see cref="PeakBuffered"/> their most;
/// <see cref="ForwardCredits"/> is null until the backend's first grant.
/// </summary>
public sealed record StreamSnapshot(
    Guid Id,
    string Hostname,
    IPEndPoint Client,
    int Port,
    bool IsTls,
    DateTimeOffset Since,
    int Buffered,
    int PeakBuffered,
    long? ForwardCredits,
    bool Paused);

/// <summary>One message of a session: which way it went, its WebSocket kind and, for binary messages, kind byte and all.</summary>
public sealed record TranscriptEntry(long Session, bool FromBackend, bool IsText, ReadOnlyMemory<byte> Message);

/// <summary>A public port as it is bound.</summary>
public sealed record BoundPort(IPEndPoint Listen, int AdvertisedPort);
