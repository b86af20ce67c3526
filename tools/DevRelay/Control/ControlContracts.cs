namespace Piccolo.DevRelay.Control;

/// <summary>Body of <c>POST /faults</c>: what is absent stays as it is.</summary>
internal sealed record FaultsRequest
{
    public bool? RefuseNewSessions { get; init; }

    /// <summary>Ends every session once, now.</summary>
    public bool? DropSessions { get; init; }

    /// <summary>Cuts the way to every session's backend once, now, without anybody being told.</summary>
    public bool? StrandSessions { get; init; }

    public bool? Hang { get; init; }

    public bool? OmitCredits { get; init; }

    public bool? DropReplenish { get; init; }

    public bool? HoldReplenish { get; init; }

    public bool? Mute { get; init; }

    public bool? RefuseReauth { get; init; }

    public bool? CarryNoStream { get; init; }

    public bool? EndTls { get; init; }

    public bool? StallUsers { get; init; }

    public bool? LoseDisconnects { get; init; }

    public bool? RepeatDisconnects { get; init; }

    public bool? AnswerNoQuestion { get; init; }

    public double? ChallengeDelaySeconds { get; init; }

    public double? ClockOffsetSeconds { get; init; }

    public InjectRequest? Inject { get; init; }
}

/// <summary>A message to send on every session: text, or binary in base64.</summary>
internal sealed record InjectRequest(string? Text, string? Base64);

/// <summary>The switches as they stand, and what this request did.</summary>
internal sealed record FaultsResponse(
    bool RefuseNewSessions,
    bool Hang,
    bool OmitCredits,
    bool DropReplenish,
    bool HoldReplenish,
    bool Mute,
    bool RefuseReauth,
    bool CarryNoStream,
    bool EndTls,
    bool StallUsers,
    bool LoseDisconnects,
    bool RepeatDisconnects,
    bool AnswerNoQuestion,
    double ChallengeDelaySeconds,
    double ClockOffsetSeconds,
    int Dropped,
    int Stranded,
    int Injected);

/// <summary>A session as <c>GET /sessions</c> shows it.</summary>
internal sealed record SessionResponse(
    long Id,
    string Backend,
    DateTimeOffset Since,
    IReadOnlyList<string> Hostnames,
    IReadOnlyList<int> TcpPorts,
    int Weight,
    long Reauthentications,
    IReadOnlyList<StreamResponse> Streams)
{
    public static SessionResponse From(SessionSnapshot session) => new(
        session.Id, session.Backend.ToString(), session.Since, session.Hostnames, session.TcpPorts, session.Weight, session.Reauthentications,
        [.. session.Streams.Select(StreamResponse.From)]);
}

/// <summary>A stream as <c>GET /sessions</c> shows it.</summary>
internal sealed record StreamResponse(
    Guid Id,
    string Hostname,
    string Client,
    int Port,
    bool IsTls,
    DateTimeOffset Since,
    int Buffered,
    int PeakBuffered,
    long? ForwardCredits,
    bool Paused)
{
    public static StreamResponse From(StreamSnapshot stream) => new(
        stream.Id, stream.Hostname, stream.Client.ToString(), stream.Port, stream.IsTls, stream.Since, stream.Buffered, stream.PeakBuffered,
        stream.ForwardCredits, stream.Paused);
}
