namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>How forwarding came out, by whichever way it went.</summary>
internal enum ForwardOutcome
{
    Done,

    /// <summary>Nobody accepts connections.</summary>
    Unavailable,

    /// <summary>The app has as many requests as it may have at a time.</summary>
    Busy,

    /// <summary>No answer came in time.</summary>
    TimedOut,

    /// <summary>The app broke off, or what it said is no answer.</summary>
    BadAnswer,

    /// <summary>A connection that had waited ended before a byte of an answer.</summary>
    Stale,

    /// <summary>The app answered that it had stopped waiting for a request.</summary>
    NotRead,

    /// <summary>The target is none, or holds characters that no target may have.</summary>
    BadTarget,

    /// <summary>The name or value of a field cannot go on.</summary>
    BadField,

    /// <summary>The client's content ended early, or its framing is wrong.</summary>
    BadContent,

    /// <summary>A method or coding that is not passed on.</summary>
    NotImplemented,

    /// <summary>The client went away.</summary>
    ClientGone,
}

/// <param name="Cause">For the log: one sentence, without anything that client or app sent.</param>
internal readonly record struct ForwardResult(ForwardOutcome Outcome, string? Cause = null);

/// <summary>What a client is told of a request that failed.</summary>
internal readonly record struct ForwardFailure(int Status, string Code, string Title, string Detail)
{
    /// <summary>Whether the app failed, so that the same request may succeed later.</summary>
    public bool IsOfApp => Status is >= 500 and not StatusCodes.Status501NotImplemented;

    public static ForwardFailure Of(ForwardOutcome outcome) => outcome switch
    {
        ForwardOutcome.TimedOut =>
            new(StatusCodes.Status504GatewayTimeout, "app_timeout", "The app does not answer", "The app took the request but sent no response in time."),
        ForwardOutcome.Unavailable =>
            new(StatusCodes.Status503ServiceUnavailable, "app_unavailable", "The app is not running",
                "The app does not accept connections. It may be starting."),
        ForwardOutcome.Busy =>
            new(StatusCodes.Status503ServiceUnavailable, "app_busy", "The app is busy", "The app has too many requests open. Try again shortly."),
        ForwardOutcome.BadTarget =>
            new(StatusCodes.Status400BadRequest, "bad_request_target", "Invalid request target",
                "The request target contains invalid characters, or is in a form that the method does not have."),
        ForwardOutcome.BadField =>
            new(StatusCodes.Status400BadRequest, "bad_request_field", "Invalid request field",
                "The method, or the name or value of a header field, contains characters that it may not contain."),
        ForwardOutcome.BadContent =>
            new(StatusCodes.Status400BadRequest, "bad_request_content", "Invalid request content",
                "The content of the request ended early, or its framing is invalid."),
        ForwardOutcome.NotImplemented =>
            new(StatusCodes.Status501NotImplemented, "not_implemented", "Not implemented",
                "CONNECT, protocols other than WebSocket and transfer codings other than chunked are not forwarded."),
        _ => new(StatusCodes.Status502BadGateway, "app_bad_answer", "Invalid response from the app",
            "The app closed the connection early, or its response is not what its listener declares."),
    };
}
